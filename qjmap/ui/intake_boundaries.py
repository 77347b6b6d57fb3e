"""The page 数据导入 for 街镇界线: somebody's file held against the district, what it changes, and keeping it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from qjmap import access, effects, outlines, service
from qjmap.access import Action, Person
from qjmap.contents import BOUNDARIES
from qjmap.district import District
from qjmap.effects import Effect
from qjmap.errors import QjmapError
from qjmap.ingest import Source
from qjmap.office import Office
from qjmap.outlines import Outlines
from qjmap.ui import desk, html, mapview, source, who
from qjmap.ui.boundary_asked import ask_claims, ask_names, ask_reading
from qjmap.ui.boundary_found import area_rows, changes, lines_scene, show_areas, show_changed, show_found
from qjmap.ui.boundary_work import FIELD, Hand, Saved, in_hand, key_of
from qjmap.ui.downloads import today
from qjmap.workspace import ConflictError


def show(person: Person, office: Office, source: Source, file: str) -> None:
    """Show what the file's areas are, what they would change, and keep them when that is wanted.

    Parameters
    ----------
    person, office
        Who asks, and where things are.
    source
        The layer of areas that was chosen.
    file
        The file's name, for the log.

    Raises
    ------
    DataError
        The file has no areas, or names a coordinate system that is not known.
    """
    hand = in_hand(source, office.district)
    left, right = st.columns([1, 1.15], gap="small")
    found = None
    with right:
        if hand.saved is not None:
            with st.container(key="lines-saved"):
                _show_saved(hand.saved, office.district)
        else:
            with st.container(key="intake-step"):
                found = _work(person, office, hand, file)
    with left:
        scene = lines_scene(office.district, found, hand)
        mapview.show_map(office.district, scene, {}, key="map-lines", place=lambda *_: True)


def _work(person: Person, office: Office, hand: Hand, file: str) -> Outlines | None:
    district = office.district
    st.html(html.part("1 街镇名"))
    columns = [str(one) for one in hand.source.table.frame]
    if not columns:
        st.html(html.alert("这个文件用不了", ["图形没有任何属性,不知道哪一块是哪个街镇。"]))
        return None
    hand.column = st.selectbox("哪一列是街镇名", columns, key=key_of(hand, "column"))
    ask_names(hand, district)
    st.html(html.part("2 坐标"))
    reading, open_ = ask_reading(hand, district, file)
    if open_:
        return None
    st.html(html.part("3 界线从哪里来"))
    ask_claims(hand)
    st.html(html.part("4 核对"))
    hand.repair = bool(st.session_state.get(f"{FIELD}repair", hand.repair))  # its box stands below the result
    content = (source.fingerprint(), hand.column, hand.reading, tuple(hand.meant.items()), hand.repair)
    with st.spinner("正在量算空隙和重叠…"):
        found = hand.once(
            "found",
            content,
            lambda: outlines.official(
                hand.source, district, hand.column, reading, names=hand.meant, repair=hand.repair
            ),
        )
    latest = office.workspace.latest(BOUNDARIES)
    hand.base = latest.number if latest is not None else 0
    show_found(hand, found, district)
    changed: tuple[Effect, ...] | None = None
    if found.geojson:
        st.html(html.part("5 结果怎样改变"))
        changed = changes(hand, found, district, content)
    _keep(person, office, hand, found, changed, file)
    return found


# ---- keeping -----------------------------------------------------------------------------------------


def _keep(
    person: Person,
    office: Office,
    hand: Hand,
    found: Outlines,
    changed: tuple[Effect, ...] | None,
    file: str,
) -> None:
    if not access.may(person, Action.IMPORT, None):
        return  # the page above has said who may
    hand.why = st.text_input(
        "原因 *", key=key_of(hand, "why"), max_chars=200, placeholder="例如:改用勘定界线"
    )
    st.button(
        "用这份界线替换现用界线",
        on_click=_do_keep,
        args=(hand, found, changed, file),
        type="primary",
        width="stretch",
        disabled=not found.geojson,
        key="lines-keep",
        help="存为一个新版本;旧版本都留着,可随时恢复",
    )
    if hand.told:
        st.html(html.alert("未保存", [hand.told]))


def _do_keep(hand: Hand, found: Outlines, changed: tuple[Effect, ...] | None, file: str) -> None:
    # a click may come before the page has read what was typed last
    for name in ("provider", "date", "review_number", "why", "aware"):
        setattr(hand, name, st.session_state.get(f"{FIELD}{name}", getattr(hand, name)))
    if not hand.provider.strip():
        hand.told = "请填写提供单位:图上要写明界线由谁提供。"
        return
    if not hand.why.strip():
        hand.told = "请写明原因。"
        return
    if found.warnings and not hand.aware:
        hand.told = f"有 {len(found.warnings)} 处空隙或提醒,请先勾选“我已知晓”。"
        return
    person, office = who.person(), who.office()
    data = outlines.signed(found, _about(hand, person))
    try:
        version = service.import_boundaries(person, office, data, file, base=hand.base, why=hand.why)
    except ConflictError as error:
        hand.told, hand.draft = f"{error}。下面已按最新版本重新核对,确认后请再保存。", error.draft
        return
    except QjmapError as error:
        hand.told = str(error)
        return
    if hand.draft:  # what was refused before is saved now
        with suppress(QjmapError):
            service.drop_draft(person, office, BOUNDARIES, hand.draft)
    answers = hand.made.get("changed", (None, ((), 0)))[1][1]
    notice = effects.with_lines(office.district, data, file).boundary_notice
    hand.saved = Saved(version, changed or (), answers, notice, area_rows(found, office.district))
    hand.told = hand.draft = ""
    hand.made.clear()


def _about(hand: Hand, person: Person) -> Mapping[str, str]:
    return {
        "provider": hand.provider,
        "date": hand.date,
        "review_number": hand.review_number,
        "imported": today().isoformat(),
        "by": person.name,
    }


def _show_saved(saved: Saved, district: District) -> None:
    st.html(
        html.done(
            f"已存为第 {saved.version.number} 版,各页面的地图、面积、人口密度和各条标准都已按新界线重算。"
        )
    )
    st.html(html.note(f"各处现写:{saved.notice}。"))
    if saved.answers:
        st.html(html.part("结果怎样改变"))
        show_changed(saved.changed, saved.answers, None)
    show_areas(saved.areas, old="原来", new="现用")
    st.page_link(
        "pages/records.py",
        label="到“版本”查看、比较,或恢复原来的界线",
        query_params={"part-of-records": desk.VERSIONS, "layer": desk.labels(district)[BOUNDARIES]},
    )
