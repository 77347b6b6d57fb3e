"""What the other tests rest on: a visit is told what it asked of strangers, and remembers nothing of the one before."""

import pytest
from serve import coming_back

pytestmark = pytest.mark.browser


def test_a_visit_is_told_what_it_asked_and_remembers_nothing_of_the_one_before(profile, server):
    with coming_back(profile) as (page, wrong):
        page.goto(f"{server}/_stcore/health")
        page.evaluate("localStorage.said = sessionStorage.said = document.cookie = 'said=1'")
        assert wrong == []
        assert page.evaluate("fetch('http://example.org/').then(() => true, () => false)") is False
        assert wrong == ["asked http://example.org/"]
    with coming_back(profile) as (page, wrong):
        page.goto(f"{server}/_stcore/health")
        assert page.evaluate("[localStorage.said ?? '', sessionStorage.said ?? '']") == ["", ""]
        assert "said" not in page.evaluate("document.cookie")
        assert wrong == []
