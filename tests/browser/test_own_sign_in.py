"""An account of the office's own in a real browser: who came in stays in, in every tab, until he leaves."""

import urllib.error
import urllib.request
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher
from serve import free_port, made_ready, running, settled

from qjmap.access import Role
from qjmap.accounts import Accounts
from qjmap.audit import Audit

pytestmark = pytest.mark.browser

NAME, PASSWORD = "guan", "chang-mi-ma-1"
ROUTE = "**/auth/account"


@contextmanager
def an_office(folder, prefix=""):
    """Run the app with one account; give its address, and its home folder."""
    Accounts(folder, PasswordHasher(1, 8, 1)).add(NAME, PASSWORD, Role.ADMIN)
    with running(environment={"QJMAP_HOME": str(folder)}, port=free_port(), prefix=prefix) as address:
        yield address, folder


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    with an_office(tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.fixture
def office_below(tmp_path):
    with an_office(tmp_path, "qj") as made:
        yield made


def opened(page, address, path=""):
    page.goto(f"{address}/{path}")
    page.locator(".qj-foot").wait_for()
    settled(page)


def fill(page):
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_label("账号").fill(NAME)
    page.get_by_label("密码", exact=True).fill(PASSWORD)


def send(page):
    page.get_by_test_id("stFormSubmitButton").get_by_role("button", name="登录").click()


def come_in(page):
    fill(page)
    with page.expect_response(ROUTE) as answer:
        send(page)
    assert answer.value.status == 204
    mine(page).wait_for()
    settled(page)


def mine(page):
    return page.get_by_role("button", name=f"{NAME}(管理)")


def door(page):
    return page.get_by_role("button", name="登录", exact=True)


def leave(page):
    """Sign out, and wait for the page that is loaded anew."""
    mine(page).click()
    page.evaluate("window.old = true")
    with page.expect_response(ROUTE):
        page.get_by_role("button", name="退出登录").click()
    page.wait_for_function("!window.old")
    door(page).wait_for()


def own_cookie(page):
    return [one for one in page.context.cookies() if one["name"].startswith("qjmap_")]


@pytest.mark.parametrize("where", ["office", "office_below"])
def test_who_came_in_stays_in_until_he_leaves(where, request, visit):
    address, folder = request.getfixturevalue(where)
    with visit(1366, 768) as page:
        opened(page, address)
        come_in(page)
        (cookie,) = own_cookie(page)
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert cookie["path"] == (urlsplit(address).path or "/")
        assert cookie["value"] not in page.content() + page.evaluate(
            "document.cookie + JSON.stringify({...localStorage, ...sessionStorage}) + location.href"
        )
        page.reload()
        mine(page).wait_for()
        page.goto(f"{address}/records?layer=health")
        page.locator(".st-key-add-record button").wait_for()
        beside = page.context.new_page()
        opened(beside, address, "reservoirs")
        mine(beside).wait_for()
        settled(page)
        leave(page)
        assert not own_cookie(page)
        beside.get_by_role("link", name="医疗卫生", exact=True).click()
        beside.get_by_role("button", name="重新登录").click()
        beside.get_by_text("登录已失效").wait_for()
        # the cookie that was thrown away opens nothing where somebody kept it
        page.context.add_cookies([cookie])
        opened(page, address)
        assert not mine(page).count()
    assert [one.action for one in reversed(Audit(folder).entries())][-2:] == ["登录", "退出"]


def test_a_link_from_elsewhere_finds_him_in(office, visit):
    """A strict cookie does not go with the link itself; with what the page then asks it does."""
    address, _ = office
    with visit(1366, 768) as page:
        opened(page, address)
        come_in(page)
        other = address.replace("localhost", "127.0.0.1")
        page.goto(f"{other}/_stcore/health")
        page.evaluate("url => { const a = document.body.appendChild(document.createElement('a'));"
                      " a.href = url; a.textContent = 'go'; }", f"{address}/health")  # fmt: skip
        page.get_by_text("go").click()
        mine(page).wait_for()


def test_nobody_comes_in_by_a_forged_or_carried_code(office, visit, browser):
    address, _ = office
    at = f"{address}/auth/account"
    with visit(1366, 768) as page:
        opened(page, address)
        name = f"qjmap_{urlsplit(address).port}"
        page.context.add_cookies(
            [{"name": name, "value": "x" * 43, "url": address, "httpOnly": True, "sameSite": "Strict"}]
        )
        opened(page, address)
        assert not mine(page).count()
    caught = []
    with visit(1366, 768) as page:  # his own page never gets to send its code
        page.route(ROUTE, lambda route: (caught.append(route.request), route.fulfill(status=204)))
        opened(page, address)
        fill(page)
        with page.expect_response(ROUTE):
            send(page)
        mine(page).wait_for()
        assert not own_cookie(page)
    ((code, kind),) = [(one.post_data, one.headers["content-type"]) for one in caught]
    victim = made_ready(browser.new_context())
    page = victim.new_page()
    page.goto(f"{address.replace('localhost', '127.0.0.1')}/_stcore/health")
    for mode in ("cors", "no-cors"):
        page.evaluate(
            """([at, mode, body, kind]) => fetch(at, {method: "POST", mode, credentials: "include", body,
                 headers: mode === "cors" ? {"Content-Type": kind} : {}}).catch(() => null)""",
            [at, mode, code, kind],
        )
    page.goto(f"{address}/_stcore/health")  # even on a page of ours: it is another browser's
    status = page.evaluate(
        "([at, body, kind]) => fetch(at, {method: 'POST', body, headers: {'Content-Type': kind}})"
        ".then(one => one.status)",
        [at, code, kind],
    )
    assert status == 403
    assert not [one for one in victim.cookies() if one["name"].startswith("qjmap_")]
    victim.close()
    bare = urllib.request.Request(at, code.encode(), {"Content-Type": kind}, method="POST")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(bare)


def test_who_leaves_takes_what_he_typed_with_him(office, visit):
    """Also what the browser itself still holds in its fields: the next may sit at the same screen."""
    address, _ = office
    with visit(1366, 768) as page:
        opened(page, address, "records?layer=fire_ponds&add=1")
        come_in(page)
        field = page.locator(".st-key-record-form").get_by_label("名称").first
        field.fill("秘密水池")
        field.press("Tab")
        settled(page)
        leave(page)
        settled(page)
        assert "秘密水池" not in page.content()
        come_in(page)
        field.wait_for()
        assert field.input_value() == ""
