"""Whatever a text says, it is text on the page."""

import inspect
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qjmap.errors import Problem
from qjmap.ui import html
from qjmap.ui.html import Figure

XSS = "\"'><img src=x onerror=alert(1)></div></script><!--&lt;"

MADE = {
    "figures": lambda text: html.figures([Figure(text, text, text, text, short=True, help=text)]),
    "head": lambda text: html.head(text, text),
    "part": lambda text: html.part(text),
    "brand": lambda text: html.brand(text, text),
    "rule": lambda text: html.rule(text, text, custom=text),
    "card": lambda text: html.card(text, [(text, True), (text, False)], [(text, text)]),
    "note": lambda text: html.note(text, demo=True),
    "foot": lambda text: html.foot([text, text]),
    "alert": lambda text: html.alert(text, [text, text]),
    "done": lambda text: html.done(text),
    "record_head": lambda text: html.record_head(text, text, text),
    "steps": lambda text: html.steps([text, text], 1),
    "answer": lambda text: html.answer(1, text, text),
    "match": lambda text: html.match(text, text, lost=True),
    "problems": lambda text: html.problems(text, [Problem(text, 2, text, text, text, text)]),
}


class Parsed(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


def shape(parsed):
    """Tags and attribute names with classes: what the texts must not change."""
    return [
        (tag, [(name, value if name == "class" else "") for name, value in attrs])
        for tag, attrs in parsed.tags
    ]


def test_every_piece_is_tried_here():
    functions = [
        name for name, one in inspect.getmembers(html, inspect.isfunction) if one.__module__ == html.__name__
    ]
    assert sorted(functions) == sorted(MADE)


@pytest.mark.parametrize("name", MADE)
def test_hostile_text_is_text(name):
    quiet, loud = Parsed(MADE[name]("字")), Parsed(MADE[name](XSS))
    assert shape(loud) == shape(quiet)
    assert not loud.open
    # not a sign of it is lost
    assert "".join(loud.text).count(XSS[:40]) == "".join(quiet.text).count("字")


@pytest.mark.parametrize("name", MADE)
@given(text=st.text(max_size=20))
def test_no_text_changes_what_a_piece_is_made_of(name, text):
    assert shape(Parsed(MADE[name](text or "空"))) == shape(Parsed(MADE[name]("字")))


def test_a_figure_says_what_it_is_in_this_order():
    text = "".join(Parsed(html.figures([Figure("未覆盖人口", "1.2", "万人", "共 77.6万人(2020)")])).text)
    assert text == "未覆盖人口1.2万人共 77.6万人(2020)"


def test_only_what_is_short_and_what_is_invented_is_marked():
    assert "qj-short" not in html.figures([Figure("甲", "1")])
    assert "qj-short" in html.figures([Figure("甲", "1", short=True)])
    assert "qj-demo" not in html.card("甲", [("现状", False)], [])
    assert "qj-demo" in html.card("甲", [("演示数据,非真实记录", True)], [])
    assert "qj-custom" not in html.rule("甲", "乙")


def test_many_problems_are_told_up_to_a_limit_and_the_rest_counted():
    found = [Problem("health.csv", n, "beds_2020", "x", "整数") for n in range(2, 32)]
    text = "".join(Parsed(html.problems("有误", found)).text)
    assert text.count("health.csv") == 12
    assert "第 2 行" in text
    assert "另有 18 处问题未列出" in text
    assert "未列出" not in html.problems("有误", found[:12])
