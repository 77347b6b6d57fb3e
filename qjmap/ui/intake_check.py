"""The last step of the wizard: what was found, what the program repaired, what saving changes; and saving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd
import streamlit as st

from qjmap import access, export, merging, service
from qjmap.access import Action, Person
from qjmap.draft import Draft, to_table
from qjmap.errors import DataError, Problem, QjmapError
from qjmap.ingest import RawTable
from qjmap.layers import LayerSpec
from qjmap.matching import Match
from qjmap.merging import Joining
from qjmap.office import Office
from qjmap.ui import (
    desk,
    html,
    intake_doubts,
    intake_groups,
    intake_repairs,
    intake_words,
    intake_work,
    versions,
    who,
)
from qjmap.ui import intake_parts as parts
from qjmap.ui.downloads import EXCEL
from qjmap.ui.html import Figure
from qjmap.ui.intake_hand import LAYER, Joined, Saved, Work
from qjmap.ui.table import TableColumn, show_table
from qjmap.workspace import ConflictError

_MOST = 300  # problems that are listed; the file that goes back has all
_TABLES = ("xlsx", "xls", "csv")
_PROBLEMS = (
    TableColumn("row", "行", "", 0),
    TableColumn("column", "列"),
    TableColumn("value", "现值"),
    TableColumn("expected", "应为"),
    TableColumn("advice", "建议"),
)
_LEFT_OUT = (
    TableColumn("row", "行", "", 0),
    TableColumn("id", "编号"),
    TableColumn("name", "文件里的名称"),
    TableColumn("kept", "库中的名称"),
)
_HOW = {
    Joining.UPDATE: "编号已有的改,没有的加;文件里没有的列、空着的格保留原值,写“清空”的格删去原值,别的记录不动。",
    Joining.ADD: "只加新的;编号已有的行不导入,现有记录都不动。",
    Joining.REPLACE: "以这个文件为准:文件里没有的现有记录不再保留(旧版本里仍可找回)。",
}


def show(person: Person, office: Office, one: Work, spec: LayerSpec) -> None:
    """Show the check of the file, and what keeps it."""
    if one.saved is not None:
        numbered = merging.key_of(spec) in intake_work.matched(one, spec, tuple(office.district.towns.index))
        _tell_saved(one, spec, one.saved, intake_work.draft_of(one), numbered)
        return
    matches = intake_work.matched(one, spec, tuple(office.district.towns.index))
    _, register = intake_work.kept(one)
    if not register.frame.empty:
        _ask_how(one, spec, matches, len(register.frame))
    with parts.Bar("正在核对") as told:
        made = intake_work.checked(one, office, spec, matches, told)
        joined = intake_work.joined(one, spec, dict(matches), made)
    st.html(html.figures(_figures(made, spec, joined)))
    intake_doubts.show(one, spec, made, joined, tuple(office.district.towns.index))
    intake_groups.show(one, matches, made)
    intake_words.show(one, spec, matches, made, office.district)
    _problems(one, made)
    _left_out(one, spec, made, joined, register)
    if made.problems or joined.left_out.any():
        _give_back(one, spec)
    _warnings(one, spec, made, joined)
    intake_repairs.show(one, spec, made)
    _notes(made)
    _keep(person, one, spec, made, joined, len(register.frame))


# ---- what was found --------------------------------------------------------------------------------


def _figures(made: Draft, spec: LayerSpec, joined: Joined) -> list[Figure]:
    bad, unplaced = int(made.bad.sum()), int((made.unplaced & ~joined.left_out).sum())
    left, out = len(made.good) - int(made.good.sum()) - bad, int(joined.left_out.sum())
    odd = len(_odd(made, joined))
    said = [f"另有 {left:,} 行示例、合计、标题或附注未计"] if left else []
    if joined.how == Joining.UPDATE:
        again = int(joined.again.sum())
        said.insert(0, f"{again:,} 行编号已有,{joined.taken - again:,} 行新增")
    if out:
        said.insert(0, f"另有 {out:,} 行编号库中已有,不追加")
    found = [
        Figure("可追加" if out else "可导入", f"{joined.taken:,}", "行", ";".join(said)),
        Figure(
            "有错", f"{bad:,}", "行", f"{len(made.problems):,} 处,须改正" if bad else "没有", short=bad > 0
        ),
        Figure("提醒", f"{odd:,}", "处", "不影响导入,请看一看" if odd else "没有"),
        Figure("自动修正", f"{len(made.repairs):,}", "处", "逐项可以不采用" if made.repairs else "没有"),
    ]
    if spec.placed:
        found.append(Figure("未定位", f"{unplaced:,}", "行", "保存后可点地图定位" if unplaced else "没有"))
    return found


def _odd(made: Draft, joined: Joined) -> list[Problem]:
    """Give what is only odd; rows that an addition leaves out have a list of their own."""
    return [*(each for each in made.warnings if each.expected != intake_work.NEW_ID), *joined.odd]


def _rows(one: Work, problems: Sequence[Problem]) -> list[dict[str, object]]:
    sheets = {each.table.file: each.name for each in intake_work.table(one).parts}
    return [
        {
            "key": str(number),
            "sheet": sheets.get(problem.file),
            "row": problem.row,
            "column": problem.column or "整行",
            "value": None if problem.value is None else problem.value[:60],
            "expected": problem.expected,
            "advice": problem.advice or None,
        }
        for number, problem in enumerate(problems[:_MOST])
    ]


def _with_sheet(one: Work, columns: tuple[TableColumn, ...]) -> tuple[TableColumn, ...]:
    """Name the sheet first, where several are read together."""
    return (TableColumn("sheet", "工作表"), *columns) if intake_work.table(one).parts else columns


def _cut(count: int, where: str) -> str:
    return f",只列前 {_MOST} 处,全部在{where}里" if count > _MOST else ""


def _problems(one: Work, made: Draft) -> None:
    if not made.problems:
        return
    count = len(made.problems)
    found = intake_work.table(one)
    rows = "行号与文件里的一样" if found.format in _TABLES else "“行”是第几个图形"
    rows = "行号与各工作表里的一样" if found.parts else rows
    show_table(
        f"有错的 {count:,} 处({rows}){_cut(count, '退回的文件')}",
        _with_sheet(one, _PROBLEMS),
        _rows(one, made.problems),
        key="intake-problems",
        height="17rem",
        wordy=True,
    )


def _left_out(one: Work, spec: LayerSpec, made: Draft, joined: Joined, register: RawTable) -> None:
    """List the rows that an addition leaves out, beside the records whose ids they have."""
    places = np.flatnonzero(joined.left_out)
    key = merging.key_of(spec)
    if not places.size or key is None:
        return
    shown = made.frame.iloc[places[:_MOST]]
    ids = shown[key].tolist()
    names = shown["name"].fillna("").tolist() if "name" in shown else [""] * len(ids)
    kept = intake_work.kept_names(register, spec, ids)
    where = [intake_work.table(one).table.place(made.rows[place]) for place in places[:_MOST].tolist()]
    rows: list[dict[str, object]] = [
        {
            "key": str(number),
            "sheet": where[number][0] or None,
            "row": where[number][1],
            "id": each,
            "name": name or None,
            "kept": old or None,
        }
        for number, (each, name, old) in enumerate(zip(ids, names, kept, strict=True))
    ]
    show_table(
        f"编号库中已有、不追加的 {places.size:,} 行{_cut(places.size, '退回的文件')}",
        _with_sheet(one, _LEFT_OUT),
        rows,
        key="intake-left-out",
        height="12rem",
    )
    said = "名称一样的多半是同一条,要改请在上面选“按编号更新”;名称不一样的是编号撞了,请换编号再追加。"
    st.html(html.note(said))


def _warnings(one: Work, spec: LayerSpec, made: Draft, joined: Joined) -> None:
    odd = _odd(made, joined)
    if not odd:
        return
    count = len(odd)
    with st.expander(f"提醒 {count:,} 处(不影响导入)"):
        show_table(
            f"请看一看{_cut(count, '退回的文件')}",
            _with_sheet(one, _PROBLEMS),
            _rows(one, odd),
            key="intake-warnings",
            height="15rem",
            wordy=True,
        )
        if not made.problems and not joined.left_out.any():
            _give_back(one, spec)


def _notes(made: Draft) -> None:
    if made.notes:
        with st.expander(f"还应知道的 {len(made.notes)} 条"):
            for note in made.notes:
                st.html(html.note(f"{note}。"))


def _give_back(one: Work, spec: LayerSpec) -> None:
    """Offer the file with its faults marked; of a vector file the list of them."""
    stem = one.name.rpartition(".")[0] or one.name
    tabular = intake_work.table(one).format in _TABLES

    # What a button is given outlives this run: the draft is fetched when it is wanted, lest there be two.
    def marked(_sensitive: bool) -> bytes:
        from qjmap import workbooks

        return workbooks.returned(one.name, one.content, intake_work.draft_of(one), intake_work.table(one))

    def listed(_sensitive: bool) -> bytes:
        now = intake_work.draft_of(one)
        sheets = {"有错": _frame(now.problems), "提醒": _frame(now.warnings)}
        return export.to_excel(sheets, {"文件": one.name, "图层": spec.label})

    st.download_button(
        "下载退回的文件(原表加“错误”列,错格标红)" if tabular else "下载问题清单(Excel)",
        who.taken(f"{spec.label}:退回文件", marked if tabular else listed, [spec]),
        file_name=f"{stem}_{'退回' if tabular else '问题清单'}.xlsx",
        mime=EXCEL,
        on_click="ignore",
        key="intake-returned",
        width="stretch",
    )


def _frame(problems: Sequence[Problem]) -> pd.DataFrame:
    columns = ("行", "列", "现值", "应为", "建议")
    rows = [(each.row, each.column, each.value, each.expected, each.advice) for each in problems]
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


# ---- what saving changes ---------------------------------------------------------------------------


def _keep(person: Person, one: Work, spec: LayerSpec, made: Draft, joined: Joined, before: int) -> None:
    """Say what saving changes, and save."""
    st.html(html.part("保存"))
    if made.frame.empty:
        nothing = "文件只有列名,没有记录:请填好后再来。" if not len(made.good) else "没有一行可以导入:"
        back = "请下载退回的文件,改好后再来。" if made.bad.any() else "都是示例、合计、标题或附注。"
        st.html(html.note(nothing + (back if len(made.good) else "")))
        return
    if not joined.taken:
        st.html(html.note("没有一行可以追加:编号库中都已有。要改那些记录,请在上面选“按编号更新”。"))
        return
    vanishing = _tell_change(one, spec, made, joined, before)
    _ask_consent(one, made, joined, vanishing)
    key = "intake-why"
    if st.session_state.get(key, None) != one.why:
        st.session_state[key] = one.why
    st.text_input(
        "原因 *",
        key=key,
        placeholder="为什么导入,依据是什么;会写进版本历史",
        max_chars=200,
        on_change=lambda: setattr(one, "why", str(st.session_state[key])),
    )
    _tell(one, spec)
    label = desk.labels(who.office().district)[one.layer]
    allowed = access.may(person, Action.IMPORT, spec)
    if not allowed:
        parts.tell_who(person, spec, label)
    st.button(
        _save_label(made, joined),
        on_click=_save,
        args=(one, spec, vanishing),
        key="intake-save",
        type="primary",
        width="stretch",
        disabled=not allowed or _same(joined),
    )
    if one.saving:  # in the run itself and not in the button's call, so that it can be seen
        one.saving = False
        with st.spinner("正在保存并核对全部记录 …"):
            _do_save(one, spec)
        st.rerun()


def _same(joined: Joined) -> bool:
    """Say whether saving would change nothing."""
    return joined.found is not None and joined.found.same


def _save_label(made: Draft, joined: Joined) -> str:
    """Say what the button does, in the numbers that will be true."""
    if joined.found is None or joined.how == Joining.REPLACE:
        return f"保存 {len(made.frame):,} 行为新版本"
    if joined.how == Joining.ADD:
        return f"追加 {joined.taken:,} 行,存为新版本"
    changed = len({each.id for each in joined.found.changed})
    return f"改动 {changed:,} 条、新增 {len(joined.found.added):,} 条,存为新版本"


def _ask_how(one: Work, spec: LayerSpec, matches: Mapping[str, Match], rows: int) -> None:
    key = "intake-how"
    how = intake_work.joining(one, spec, dict(matches), rows)
    if st.session_state.get(key) != how:
        st.session_state[key] = how
    offered = [Joining.UPDATE, Joining.ADD, Joining.REPLACE]
    if not intake_work.knows_again(one, spec, matches):
        offered.remove(Joining.UPDATE)  # without ids of their own no row is known again

    def changed() -> None:
        one.how, one.told, one.gone = st.session_state[key], None, False
        refused = {
            each for each in one.offered if {each, intake_repairs.group(one.offered[each])} & one.refused
        }
        one.offered = {each: one.offered[each] for each in refused}  # what else is repaired hangs on the way

    st.radio(
        f"与现有的 {rows:,} 条怎样合并",
        offered,
        format_func=str,
        captions=[_HOW[each] for each in offered],
        key=key,
        on_change=changed,
    )


def _tell_change(one: Work, spec: LayerSpec, made: Draft, joined: Joined, before: int) -> int:
    """Say what is added, changed and removed; give how many records of documents would vanish."""
    if joined.found is None or joined.table is None:
        st.html(html.note(f"现在还没有记录;保存后共 {len(made.frame):,} {spec.counter}。"))
        return 0
    total = len(joined.table.frame)
    found = joined.found
    records = {each.id for each in found.changed}
    text = (
        f"保存后共 {total:,} {spec.counter}(现有 {before:,}):新增 {len(found.added):,},"
        f"改动 {len(records):,}(共 {len(found.changed):,} 处),删去 {len(found.removed):,}。"
    )
    secret = [spec.columns[key].label for key in intake_work.secrets(spec)]
    if _same(joined):
        text += "看得到的列与现有记录完全相同。" if secret else "与现有记录完全相同,不必保存。"
    if secret:
        text += f"敏感列({'、'.join(secret)})您看不到,没有比较。"
    if joined.left_out.any():
        text += f"有 {int(joined.left_out.sum()):,} 行的编号库中已有,不导入(上面列出,退回的文件里也注明)。"
    st.html(html.note(text))
    turned = sum(each.column == "source" and each.old == "文件" for each in found.changed)
    if turned:
        st.html(html.note(f"其中 {turned:,} 条原载于文件的记录内容有改,来源改记为“导入”。"))
    emptied = sum(each.new is None for each in found.changed)
    if emptied:
        st.html(html.note(f"其中 {emptied:,} 处原来有值,改后为空。"))
    vanishing = 0
    if "source" in found.removed:
        vanishing = int((found.removed["source"] == "文件").fillna(value=False).sum())
    if len(found.removed):
        said = [f"删去的 {len(found.removed):,} 条各页不再显示;旧版本里仍有,可以恢复。"]
        if vanishing:
            said.insert(0, f"其中 {vanishing:,} 条出自正式文件(来源为“文件”),这个文件里没有它们。")
        st.html(html.alert("会有记录消失", said))
    if not found.same:
        with st.expander("逐条看改动"):
            versions.show_comparison(who.office(), one.layer, found, "intake")
    return vanishing


def _ask_consent(one: Work, made: Draft, joined: Joined, vanishing: int) -> None:
    bad, over, twice = int(made.bad.sum()), len(joined.overwritten), int(joined.repeated.sum())
    asked = [
        (bad, "consent", f"只存无误的 {joined.taken:,} 行;有错的 {bad:,} 行先不存,退回改正后再导入"),
        (vanishing, "gone", f"我知道这 {vanishing:,} 条文件所载的记录将不再显示"),
        (over, "over", f"这 {over:,} 条确实改了街镇和名称:照文件改"),
        (twice, "twice", f"这 {twice:,} 行不是重复导入:再记一次"),
    ]
    for count, name, label in asked:
        if not count:
            continue
        key = f"intake-{name}"
        if st.session_state.get(key) != getattr(one, name):
            st.session_state[key] = getattr(one, name)
        st.checkbox(label, key=key, on_change=_take_tick, args=(one, name, key))


def _take_tick(one: Work, name: str, key: str) -> None:
    setattr(one, name, bool(st.session_state[key]))


# ---- saving ----------------------------------------------------------------------------------------


def _tell(one: Work, spec: LayerSpec) -> None:
    """Say what came of the last try."""
    newest, _ = intake_work.kept(one)
    if one.told is not None:
        title, lines = one.told
        st.html(html.alert(title, lines))
    if one.base is not None and newest != one.base:
        if not one.conflict:
            said = f"你核对之后,已有人把“{spec.label}”存成了第 {newest} 版。"
            st.html(html.alert("现有数据刚刚变了", [said, "请按最新版重新核对,再保存;你的选择都还在。"]))
        st.button("按最新版重新核对", on_click=_again, args=(one,), key="intake-again", width="stretch")


def _again(one: Work) -> None:
    one.base, one.told, one.conflict = None, None, ""


def _save(one: Work, spec: LayerSpec, vanishing: int) -> None:
    made = intake_work.draft_of(one)
    if "intake-why" in st.session_state:  # what has the cursor may not have been told yet
        one.why = str(st.session_state["intake-why"])
    wanting = []
    if made.bad.any() and not one.consent:
        wanting.append("有错的行还没有说怎么办:请勾选“只存无误的行”,或改好文件再来")
    if vanishing and not one.gone:
        wanting.append("会有文件所载的记录消失:请勾选确认,或改用“按编号更新”")
    joined = intake_work.joined_of(one)
    if joined.overwritten and not one.over:
        wanting.append("有的行会盖掉别的街镇的记录:请勾选“另行编号”,或确认照文件改")
    if joined.repeated.any() and not one.twice:
        wanting.append("有的行像是已经导入过:请确认不是重复,或不再导入")
    if not one.why.strip():
        wanting.append("请写明原因")
    if wanting:
        one.told = ("还没有保存", tuple(wanting))
        return
    one.told, one.saving = None, True


def _do_save(one: Work, spec: LayerSpec) -> None:
    made, joined = intake_work.draft_of(one), intake_work.joined_of(one)
    person, office = who.person(), who.office()
    table = joined.table if joined.table is not None else to_table(made)
    try:
        version = service.import_layer(person, office, spec.key, table, base=one.base or 0, why=one.why)
    except ConflictError as error:
        one.told = ("还没有保存:已有人先保存了", tuple(desk.plain(error, spec).split("。")[:3]))
        one.conflict, one.kept_draft = str(error), error.draft
    except DataError as error:
        lines = [_of_record(each, table, spec) for each in error.problems[:12]]
        rest = len(error.problems) - len(lines)
        one.told = ("还没有保存:合并后有下列问题", (*lines, *([f"另有 {rest} 处"] if rest else [])))
    except QjmapError as error:
        one.told = ("还没有保存", (desk.plain(error, spec).removeprefix("未保存:"),))
    else:
        if one.kept_draft:  # what it held is saved now
            with suppress(QjmapError):
                service.drop_draft(person, office, spec.key, one.kept_draft)
        one.told, one.conflict, one.kept_draft, one.why = None, "", "", ""
        unplaced = int((made.unplaced & ~joined.left_out).sum())
        one.saved = Saved(version, unplaced, int(joined.left_out.sum()))


def _of_record(problem: Problem, table: RawTable, spec: LayerSpec) -> str:
    """Tell a fault of the joined register by its record: its row is in no file that the person has seen."""
    column = spec.columns.get(problem.column or "")
    key = merging.key_of(spec)
    if column is None or key is None or problem.row not in table.rows:
        return str(problem)
    record = table.frame.iloc[table.rows.index(problem.row)]
    name = f"({record['name']})" if "name" in record and pd.notna(record["name"]) else ""
    advice = f"。{problem.advice}" if problem.advice else ""
    value = (problem.value or "空白")[:40]
    return f"编号 {record[key]}{name}:“{column.label}”为“{value}”,应为{problem.expected}{advice}"


def _tell_saved(one: Work, spec: LayerSpec, saved: Saved, made: Draft, numbered: bool) -> None:
    version = saved.version
    st.html(
        html.done(
            f"“{spec.label}”已存为第 {version.number} 版,共 {version.rows:,} {spec.counter}。各页即刻可见。"
        )
    )
    if made.bad.any():
        how = "改好后再导入(选“按编号更新”)"
        if not numbered:  # the rows that were kept would be added once more
            how = "只留有错的行,改好后再导入(选“追加”);存入的行不要再导入一次"
        st.html(html.note(f"有错的 {int(made.bad.sum()):,} 行没有存入。下载退回的文件,{how}。"))
    if saved.left_out:
        said = f"另有 {saved.left_out:,} 行因编号库中已有而没有追加,都注明在退回的文件里。"
        st.html(html.note(said))
    if made.bad.any() or saved.left_out:
        _give_back(one, spec)
    label = desk.labels(who.office().district)[one.layer]
    to = {"layer": label}
    if saved.unplaced:
        st.page_link(
            "pages/records.py", label=f"有 {saved.unplaced:,} 条未定位:去点地图定位", query_params=to
        )
    if spec.placed:
        st.page_link("pages/records.py", label=f"查看“{spec.label}”的记录", query_params=to)
    st.page_link(
        "pages/records.py", label="查看版本、比较、恢复", query_params={**to, "part-of-records": "版本"}
    )
    st.button("再导入一个文件", on_click=_anew, args=(one,), key="intake-anew", width="stretch")


def _anew(one: Work) -> None:
    """Begin again: what is large is given back."""
    one.take("", b"")
    one.go(LAYER)
