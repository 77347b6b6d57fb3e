"""A file that lies over what is not its own, that was in already, or that leaves towns out."""

from __future__ import annotations

from qjmap.rejoined import overwritten, repeated, silent
from tests.test_merging import OWN, PONDS, table

EAST = [{"id": str(n), "name": f"东溪镇{n}号", "town": "东溪镇"} for n in (1, 2, 3)]


def test_two_towns_that_number_from_one_are_not_one_list():
    kept = table(*EAST).frame
    other = table(*({"id": str(n), "name": f"石壕镇{n}号", "town": "石壕镇"} for n in (2, 3, 4))).frame
    assert overwritten(kept, other, PONDS, OWN) == {0: "2", 1: "3"}
    # they may even have one name
    same = table(*({"id": str(n), "name": "消火栓", "town": "石壕镇"} for n in (1, 2))).frame
    assert overwritten(kept.assign(name="消火栓"), same, PONDS, OWN) == {0: "1", 1: "2"}


def test_a_record_that_gets_another_town_is_a_correction():
    kept = table(*EAST).frame
    moved = table({**EAST[0], "town": "永新镇"}, *EAST[1:]).frame
    assert overwritten(kept, moved, PONDS, OWN) == {}
    assert overwritten(kept, moved.assign(name=["甲池", *moved["name"][1:]]), PONDS, OWN) == {0: "1"}
    assert overwritten(kept, kept, PONDS, OWN) == {}
    assert overwritten(kept.head(0), kept, PONDS, OWN) == {}
    unsaid = table({"id": "1", "name": "别的"}).frame
    assert overwritten(kept, unsaid, PONDS, OWN) == {}
    nameless = table(*({"id": row["id"], "name": None, "town": "永新镇"} for row in EAST)).frame
    assert overwritten(kept, nameless, PONDS, OWN) == {}


def test_what_says_only_what_is_kept_was_in_already():
    rows = [{"id": f"A{n}", "name": "消火栓", "town": "东溪镇", "kind": "市政消火栓"} for n in range(3)]
    kept = table(*rows).frame
    again = table(*({**row, "id": f"B{n}"} for n, row in enumerate([*rows, rows[0]]))).frame
    said = ("name", "town", "kind")
    # three are there already; a fourth is one more
    assert repeated(kept, again, PONDS, said).tolist() == [True, True, True, False]
    assert (
        repeated(kept, again.assign(kind=["消防水池", *again["kind"][1:]]), PONDS, said).tolist()[0] is False
    )
    assert not repeated(kept, kept, PONDS, said).any()  # an update
    assert not repeated(kept, again, PONDS, ("name", "town")).any()
    assert not repeated(kept.head(0), again, PONDS, said).any()


def test_towns_without_a_record_are_listed():
    frame = table(*EAST, {"id": "9"}).frame
    assert silent(frame, ["永新镇", "东溪镇", "石壕镇"]) == ["永新镇", "石壕镇"]
    assert silent(frame.tail(1), ["永新镇"]) == []
