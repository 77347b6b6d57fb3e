"""A person's own figures in an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qjmap.ui.figures import read, write

NUMBERS = st.floats(0, 1e8, allow_subnormal=False).map(lambda number: float(f"{number:.12g}"))
KEYS = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
BOTH = st.fixed_dictionaries({"urban": NUMBERS, "rural": NUMBERS})


@given(st.dictionaries(KEYS, NUMBERS | BOTH, max_size=4))
def test_figures_come_back_from_an_address_as_they_were(figures):
    assert read(write(figures)) == figures


def test_an_address_is_short_and_the_same_whatever_the_order():
    figures = {"ems-radius": {"urban": 3500.0, "rural": 10000.0}, "a-rule": 0.5}
    assert write(figures) == write(dict(reversed(figures.items()))) == "a-rule:0.5,ems-radius:3500/10000"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "a",
        "a:",
        ":5",
        "a:x",
        "a:1/2/3",
        "a:nan",
        "a:inf",
        "a:-1",
        "a:1e99",
        "a:1/-2",
        "<script>:<b>",
    ],
)
def test_what_cannot_be_read_is_passed_over(text):
    assert read(text) == {}
    assert read(f"{text},good:7") == {"good": 7.0}
