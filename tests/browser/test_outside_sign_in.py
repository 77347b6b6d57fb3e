"""统一身份认证 in a real browser: who comes in through a service outside has the role that his claims are granted."""

import time

import pytest
from provider import providing, secrets_toml
from serve import free_port, made_ready, running, settled

from qjmap.audit import Audit

pytestmark = pytest.mark.browser

PEOPLE = {
    "zhang": {"name": "张三", "groups": ["staff", "qj-health"]},
    "li": {"name": "李四", "groups": ["staff"]},
}
RULES = """
claim = "groups"
name = "name"
[[grants]]
values = ["qj-health"]
role = "录入"
department = "区卫生健康委"
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The app with a sign-in service: its address, the service, and its home folder."""
    folder, port = tmp_path_factory.mktemp("office"), free_port()
    (folder / "access.toml").write_text(RULES, "utf-8")
    with providing(PEOPLE) as provider:
        settings = folder / "secrets.toml"
        settings.write_text(secrets_toml(provider, port), "utf-8")
        environment = {"QJMAP_HOME": str(folder)}
        with running("--secrets.files", str(settings), environment=environment, port=port) as address:
            yield address, provider, folder


def opened(page, address, path=""):
    page.goto(f"{address}/{path}")
    page.locator(".qj-foot").wait_for()
    settled(page)


def come_in(page, address, who):
    opened(page, address)
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("button", name="用统一身份认证登录").click()
    page.get_by_role("link", name=who).click()
    page.wait_for_url(f"{address}/**")
    page.locator(".qj-foot").wait_for()
    settled(page)


def slowly(route):
    time.sleep(2)
    route.continue_()


def may_change(page, address, layer):
    opened(page, address, f"records?layer={layer}")
    return page.locator(".st-key-add-record button").count() == 1


def lines(folder):
    return [(one.who, one.role, one.action) for one in reversed(Audit(folder).entries())]


def test_a_person_comes_in_with_his_role_and_goes(office, visit):
    address, provider, folder = office
    with visit(1366, 768) as page:
        assert not may_change(page, address, "医疗卫生机构")
        come_in(page, address, "zhang")
        page.get_by_role("button", name="张三(录入)").wait_for()
        assert may_change(page, address, "医疗卫生机构")
        assert not may_change(page, address, "水库")
        page.reload()  # a page that is loaded anew is no new sign-in
        page.get_by_role("button", name="张三(录入)").click()
        page.get_by_text("部门:区卫生健康委;登录方式:统一认证").wait_for()
        page.route("**/auth/logout", slowly)  # nothing that the page does meanwhile may take its place
        with page.expect_response(f"{provider.address}/logout*"):
            page.get_by_role("button", name="退出登录").click()
        page.get_by_role("button", name="登录", exact=True).wait_for()
        settled(page)
        assert "/logout" in provider.asked  # the service was told, too
        assert not may_change(page, address, "医疗卫生机构")
    assert lines(folder) == [("张三", "录入", "登录"), ("张三", "录入", "退出")]


def test_whom_no_rule_speaks_of_may_look(office, visit):
    address, _, _ = office
    with visit(1366, 768) as page:
        come_in(page, address, "li")
        page.get_by_role("button", name="李四(浏览)").wait_for()
        assert not may_change(page, address, "医疗卫生机构")


def test_what_is_old_opens_nothing(office, visit, monkeypatch):
    address, provider, _ = office
    monkeypatch.setattr(provider, "age", 13 * 3600)
    with visit(1366, 768) as page:
        come_in(page, address, "zhang")
        page.get_by_role("button", name="登录", exact=True).click()
        page.get_by_role("button", name="用统一身份认证登录").wait_for()
        page.get_by_text("登录已超过 12 小时,请重新登录").first.wait_for()
        assert "登录已超过 12 小时,请重新登录" in page.locator("body").inner_text()
        assert not may_change(page, address, "医疗卫生机构")


def set_off(page, address):
    opened(page, address)
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("button", name="用统一身份认证登录").click()


def test_a_sign_in_that_does_not_come_about_is_said_in_words(office, browser, monkeypatch):
    address, provider, folder = office
    before = len(lines(folder))
    context = made_ready(browser.new_context())
    page = context.new_page()
    monkeypatch.setattr(provider, "forged", True)
    set_off(page, address)
    page.get_by_role("link", name="zhang").click()
    page.get_by_role("heading", name="登录没有完成").wait_for()
    assert "核对不上" in page.locator("body").inner_text()
    page.get_by_role("link", name="回到一张图").click()
    page.locator(".qj-foot").wait_for()
    assert not may_change(page, address, "医疗卫生机构")
    monkeypatch.setattr(provider, "metadata", dict)  # the service is there and says nothing of use
    set_off(page, address)
    page.get_by_role("heading", name="登录没有完成").wait_for()
    assert "现在连不上" in page.locator("body").inner_text()
    context.close()
    assert len(lines(folder)) == before


def test_impossible_settings_are_told_and_break_nothing(visit, tmp_path):
    settings, port = tmp_path / "secrets.toml", free_port()
    settings.write_text(
        '[auth]\nredirect_uri = "http://localhost/"\nclient_secret = "top-secret"\nexpose_tokens = "all"\n'
    )
    with running("--secrets.files", str(settings), port=port) as address, visit(1366, 768) as page:
        opened(page, address)
        page.get_by_role("button", name="登录", exact=True).click()
        told = page.locator("[data-testid='stPopoverBody']")
        told.get_by_text("统一身份认证没有配好").wait_for()
        for name in ("redirect_uri", "cookie_secret", "client_id", "server_metadata_url", "expose_tokens"):
            assert f"auth.{name}" in told.inner_text()
        assert "top-secret" not in told.inner_text()
        assert page.get_by_role("button", name="用统一身份认证登录").count() == 0
        # whoever asks for the address itself is not let in either, nor is anybody at the machine
        page.goto(f"{address}/auth/login")
        page.locator(".qj-foot").wait_for()
        assert not may_change(page, address, "医疗卫生机构")
