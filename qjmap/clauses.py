"""标准逐条: the rules clause by clause, as `docs/standards.md` has them."""

from __future__ import annotations

from collections.abc import Mapping

from qjmap.rulebook import KINDS
from qjmap.standards import Rule, Standards


def render_markdown(standards: Standards, documents: Mapping[str, str]) -> str:
    """Write the rules clause by clause, as `docs/standards.md` has them.

    Parameters
    ----------
    standards
        The rules.
    documents
        Document id to title, as `wording.titles` gives them.

    Returns
    -------
    str
        Markdown, one section per document, one table row per rule.
    """
    lines = [
        "# 标准逐条",
        "",
        "本文件由 `data/standards.toml` 生成(`python -m qjmap.cli build-docs`),不要手改。",
        "",
        f"共 {len(standards)} 条,启用 {len(standards.enabled())} 条。待核的一律停用;“缺”表示判定所缺的资料,"
        "在资料补报之前一律答“数据不足”。",
        "",
    ]
    for document in dict.fromkeys(rule.document for rule in standards.values()):
        lines += [f"## {documents.get(document, document)}", "", f"文件编号 `{document}`", ""]
        lines += [
            "| 编号 | 标准 | 条款 | 数值 | 性质 | 用词 | 年份 | 部门 | 资料来源 | 说明 |",
            "|" + "---|" * 10,
        ]
        lines += [_markdown_row(rule) for rule in standards.values() if rule.document == document]
        lines.append("")
    if standards.zones:
        lines += ["## 范围", "", "| 编号 | 范围 | 街镇 | 村(社区) | 条款 | 说明 |", "|" + "---|" * 6]
        for zone in standards.zones.values():
            places = ("、".join(zone.towns), "、".join(zone.villages))
            clause = f"{documents.get(zone.document, zone.document)} {zone.clause}"
            lines.append(_cells(f"`{zone.id}`", zone.title, *places, clause, zone.note))
        lines.append("")
    return "\n".join(lines)


def _markdown_row(rule: Rule) -> str:
    demand = f"{KINDS[rule.kind][0]}:{rule.target}"
    years = "→".join(str(year) for year in (rule.baseline_year, rule.target_year) if year)
    source = rule.source_status + ("" if rule.enabled else "(停用)")
    note = rule.note + (f" 缺:{rule.needs}。" if rule.needs else "")
    note += f" 名册不全:{rule.partial}。" if rule.partial else ""
    said = (demand, rule.binding, rule.wording, years, rule.department, source, note)
    return _cells(f"`{rule.id}`", rule.title, rule.clause, *said)


def _cells(*cells: str) -> str:
    """Make one table row; a bar inside a cell would open a new one."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
