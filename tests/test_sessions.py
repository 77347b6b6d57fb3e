"""Sign-ins held by the server: how long, by what a browser is known again, and what ends them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from qjmap.sessions import CODE_HOLDS, Limits, SignIns

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LIMITS = Limits(timedelta(hours=8), timedelta(minutes=60))
SECOND = timedelta(seconds=1)


@pytest.fixture
def held() -> SignIns:
    return SignIns()


def opened(held: SignIns, browser: str = "b", name: str = "lu") -> tuple[str, str]:
    """Give the handle and the token of a new sign-in."""
    handle = held.open(name, "stamp", browser, LIMITS, NOW)
    token = held.redeem(held.code(handle, NOW), browser, NOW)
    assert token is not None
    return handle, token


def test_a_token_leads_to_who_came_in_and_is_not_kept_itself(held):
    handle, token = opened(held)
    assert held.known(token) == handle
    assert held.use(handle, LIMITS, NOW) == ("lu", "stamp")
    assert token not in repr(held)
    assert len(token) >= 43  # 256 bits
    for guess in ("", token[:-1], token + "x", handle, "\udcff"):
        assert held.known(guess) == ""
    assert held.use("", LIMITS, NOW) is None


def test_it_ends_unused_and_at_last_however_much_it_is_used(held):
    (idle, token), (busy, _) = opened(held), opened(held)
    assert held.use(idle, LIMITS, NOW + LIMITS.idle) is None
    assert held.known(token) == ""
    for step in range(1, 16):
        assert held.use(busy, LIMITS, NOW + step * timedelta(minutes=30))
    assert held.use(busy, LIMITS, NOW + LIMITS.longest) is None
    assert held.use(busy, LIMITS, NOW) is None


def test_shorter_limits_hold_at_once(held):
    handle, _ = opened(held)
    assert (
        held.use(handle, Limits(timedelta(hours=1), timedelta(minutes=5)), NOW + timedelta(minutes=6)) is None
    )


def test_a_code_is_good_once_for_seconds_in_its_own_browser(held):
    handle = held.open("lu", "stamp", "mine", LIMITS, NOW)
    code = held.code(handle, NOW)
    assert held.waits(code, NOW + CODE_HOLDS - SECOND)
    assert held.redeem(code, "another", NOW) is None
    assert held.redeem(code, "mine", NOW) is None  # whoever tries uses it up
    late = held.code(handle, NOW)
    assert not held.waits(late, NOW + CODE_HOLDS)
    assert held.redeem(late, "mine", NOW + CODE_HOLDS) is None
    once = held.code(handle, NOW)
    assert held.redeem(once, "mine", NOW)
    assert held.redeem(once, "mine", NOW) is None
    assert not held.waits(once, NOW)
    assert held.redeem("", "mine", NOW) is None
    assert held.redeem("x" * 43, "", NOW) is None


def test_a_browser_that_is_not_known_gets_no_token(held):
    handle = held.open("lu", "stamp", "", LIMITS, NOW)
    assert held.code(handle, NOW) == ""
    assert held.use(handle, LIMITS, NOW)
    assert held.code("nobody", NOW) == ""


def test_who_leaves_leaves_in_every_page_of_his_browser_and_nowhere_else(held):
    (one, token), (two, other) = opened(held), opened(held)
    elsewhere, third = opened(held, "c")
    bare = [held.open("lu", "stamp", "", LIMITS, NOW) for _ in range(2)]
    waiting = held.code(one, NOW)
    held.close(one)
    held.close("nobody")
    assert not held.use(one, LIMITS, NOW)
    assert not held.use(two, LIMITS, NOW)
    assert held.known(token) == held.known(other) == ""
    assert held.redeem(waiting, "b", NOW) is None
    assert held.known(third) == elsewhere
    held.close(bare[0])
    assert held.use(bare[1], LIMITS, NOW)


def test_what_is_over_is_forgotten(held):
    for _ in range(20):
        opened(held)
    held.open("lu", "stamp", "b", LIMITS, NOW + LIMITS.longest)
    assert len(held._held) == 1
    assert not held._tokens
    assert not held._codes


def test_many_at_once_get_one_token(held):
    code, got = held.code(held.open("lu", "stamp", "b", LIMITS, NOW), NOW), []
    threads = [threading.Thread(target=lambda: got.append(held.redeem(code, "b", NOW))) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(one is not None for one in got) == 1
