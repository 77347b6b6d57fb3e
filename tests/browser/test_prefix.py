"""The app under a path of its own, straight and behind a proxy that passes everything on."""

import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from serve import MAP, drawn, rested, running, settled

pytestmark = pytest.mark.browser


def _pump(source, target):
    """Carry bytes one way until that way is closed; then say so to the other side."""
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def forwarding(port):
    """Pass every connection on to `port`, bytes as they come: pages, files and the websocket; give the proxy's port."""
    passed = []

    class Visitor(socketserver.BaseRequestHandler):
        def handle(self):
            passed.append(self.client_address)
            with socket.create_connection(("127.0.0.1", port)) as back:
                way = threading.Thread(target=_pump, args=(back, self.request), daemon=True)
                way.start()
                _pump(self.request, back)
                way.join()

    class Proxy(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Proxy(("127.0.0.1", 0), Visitor) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield proxy.server_address[1], passed
        finally:
            proxy.shutdown()


@pytest.fixture(scope="module")
def app():
    with running(prefix="qj") as address:
        yield address


@pytest.fixture(scope="module", params=["straight", "behind a proxy"])
def prefixed(request, app):
    """The address of the app under /qj."""
    if request.param == "straight":
        yield app
        return
    with forwarding(urlsplit(app).port) as (port, passed):
        yield f"http://localhost:{port}/qj"
        assert passed


def test_the_first_page_draws_its_map_and_leads_to_the_others(visit, prefixed):
    with visit() as page:
        asked = []
        page.on("response", lambda one: asked.append((one.status, one.url)))
        page.goto(prefixed)
        frame = drawn(page)
        assert frame.evaluate("typeof window.qjmap.base") == "function"
        files = [url for status, url in asked if status in (200, 304) and "/app/static/map." in url]
        assert files
        assert all(url.startswith(f"{prefixed}/app/static/") for url in files)
        page.get_by_role("link", name="水库", exact=True).click()
        page.wait_for_url(f"{prefixed}/reservoirs*")
        drawn(page)
        assert page.locator("h1").inner_text() == "水库"
        page.locator("tr[data-key='赶水镇']").click()
        settled(page)
        assert page.url.startswith(f"{prefixed}/reservoirs?")
        page.frame_locator(MAP).locator(".leaflet-control-zoom-in").click()
        rested(page)
        address, view = page.url, drawn(page).evaluate("window.map.getZoom()")
        assert "view=" in address
    with visit() as other:  # the link, elsewhere
        other.goto(address)
        assert drawn(other).evaluate("window.map.getZoom()") == view
        assert other.locator(".qj-card h3").inner_text() == "赶水镇"


def test_a_deep_link_opens(visit, prefixed):
    with visit() as page:
        page.goto(f"{prefixed}/health?town=石角镇&demo=false")
        drawn(page)
        assert page.locator(".qj-card h3").inner_text() == "石角镇"
        page.get_by_role("button", name="导出").click()
        with page.expect_download() as caught:
            page.get_by_role("button", name="设施(GeoJSON)", exact=True).click()
        assert caught.value.suggested_filename.endswith(".geojson")
