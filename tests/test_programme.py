"""The programme of the meeting screen: what stands in an address, and what is suggested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qjmap import programme
from qjmap.programme import ALL, Item

RULES = {ALL: ["a", "b"], "health": ["a"]}
TOWNS = ["甲镇", "乙镇"]

items = st.builds(
    lambda theme, rule, town: Item(theme, rule if rule in RULES[theme] else None, town),
    st.sampled_from(list(RULES)),
    st.sampled_from(["a", "b", None]),
    st.sampled_from([*TOWNS, None]),
)


@given(st.lists(items, max_size=programme.MOST))
def test_what_is_written_is_read(chosen):
    assert programme.read(programme.write(chosen), RULES, TOWNS) == (chosen, [])


@given(st.text(max_size=300))
def test_nothing_in_an_address_breaks_it(text):
    found, strange = programme.read(text, RULES, TOWNS)
    assert len(found) + len(strange) == (text.count(",") + 1 if text else 0)


@pytest.mark.parametrize("part", ["nothing", "health:b", "all:a:丙镇", "all:a:甲镇:more", ":a", "all,"])
def test_what_is_not_known_is_told_and_the_rest_stays(part):
    found, strange = programme.read(f"all:b,{part}", RULES, TOWNS)
    assert found[0] == Item(ALL, "b")
    assert len(strange) == 1


def test_a_programme_has_an_end():
    found, strange = programme.read(",".join(["all"] * (programme.MOST + 3)), RULES, TOWNS)
    assert (len(found), len(strange)) == (programme.MOST, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20", 20), ("1", 5), ("99999", 600), ("", 15), ("二十", 15), ("-3", 5), ("1e3", 15)],
)
def test_how_long_a_scene_stands_is_within_bounds(text, expected):
    assert programme.seconds(text, 15) == expected
