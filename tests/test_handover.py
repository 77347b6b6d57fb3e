"""The route that exchanges a code for a cookie: whom it answers, and what it gives."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from starlette.applications import Starlette
from streamlit import config

from qjmap import sessions
from qjmap.ui import handover

HOST = "map.qijiang:8501"
OURS = {"host": HOST, "origin": f"http://{HOST}", "content-type": handover.KIND}
XSRF, OTHER = "2|00000000|00112233445566778899aabbccddeeff|1", "2|00000000|ff112233445566778899aabbccddeeff|1"
LIMITS = sessions.Limits(timedelta(hours=8), timedelta(hours=1))


@pytest.fixture(autouse=True)
def held(monkeypatch) -> sessions.SignIns:
    fresh = sessions.SignIns()
    monkeypatch.setattr(handover, "HELD", fresh)
    return fresh


@pytest.fixture
def code(held) -> str:
    now = datetime.now().astimezone()
    browser = handover.browser({"_streamlit_xsrf": XSRF})
    return held.code(held.open("lu", "stamp", browser, LIMITS, now), now)


def ask(method, headers, body="", cookie=f"_streamlit_xsrf={XSRF}", path="/auth/account"):
    """Send a request; give the status and the cookie that is set."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    said = {"cookie": cookie, "content-length": str(len(body))} | headers
    scope = {
        **{"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""},
        "headers": [(key.encode(), value.encode()) for key, value in said.items() if value is not None],
    }
    with ThreadPoolExecutor(1) as elsewhere:  # browser tests in the same run hold this thread's loop
        elsewhere.submit(asyncio.run, Starlette(routes=handover.routes())(scope, receive, send)).result()
    start = sent[0]
    return start["status"], dict(start["headers"]).get(b"set-cookie", b"").decode()


def test_a_page_of_ours_gets_its_cookie_once(held, code):
    status, cookie = ask("POST", OURS, code)
    assert status == 204
    name, *said = cookie.split("; ")
    assert set(said) == {"HttpOnly", "Path=/", "SameSite=strict"}
    key, token = name.split("=")
    assert key == handover.cookie()
    assert held.known(token)
    assert ask("POST", OURS, code) == (403, "")
    status, cookie = ask("DELETE", OURS, cookie=f"{key}={token}")
    assert (status, "Max-Age=0" in cookie) == (204, True)
    assert not held.known(token)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": None},
        {"origin": "null"},
        {"origin": "http://[broken"},
        {"origin": "http://evil.example"},
        {"origin": f"http://{HOST}.evil.example"},
        {"origin": "http://map.qijiang:8502"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"host": "other"},
        {"content-type": "text/plain"},
        {"content-type": None},
        {"content-length": "100000"},
        {"content-length": None},
    ],
)
def test_any_other_page_gets_nothing_and_spoils_nothing(code, wrong):
    status, cookie = ask("POST", OURS | wrong, code)
    assert (status in (403, 413), cookie) == (True, "")
    assert ask("POST", OURS, code)[0] == 204


def test_nor_can_another_page_sign_anybody_out(held, code):
    _, cookie = ask("POST", OURS, code)
    pair = cookie.split(";")[0]
    assert ask("DELETE", OURS | {"origin": "http://evil.example"}, cookie=pair) == (403, "")
    assert held.known(pair.partition("=")[2])


@pytest.mark.parametrize("cookie", ["", f"_streamlit_xsrf={OTHER}", "_streamlit_xsrf=x"])
def test_a_code_of_another_browser_opens_nothing(code, cookie):
    assert ask("POST", OURS, code, cookie) == (403, "")
    assert ask("POST", OURS, code) == (403, "")


@pytest.mark.parametrize("body", ["", "x" * 43, "綦江"])
def test_a_guess_opens_nothing(code, body):
    assert ask("POST", OURS, body) == (403, "")


def test_over_https_the_cookie_stays_on_https(code):
    _, cookie = ask("POST", OURS | {"origin": f"https://{HOST}", "sec-fetch-site": "same-origin"}, code)
    assert "Secure" in cookie.split("; ")


def test_it_lies_below_the_path_of_the_app(code, monkeypatch):
    real = config.get_option
    monkeypatch.setattr(
        handover.st, "get_option", lambda key: "/qj/" if key == "server.baseUrlPath" else real(key)
    )
    assert ask("POST", OURS, code) == (404, "")
    status, cookie = ask("POST", OURS, code, path="/qj/auth/account")
    assert (status, "Path=/qj;" in f"{cookie};") == (204, True)
