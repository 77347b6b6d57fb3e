"""Commands: `python -m qjmap.cli build-geo`, `build-demo`, `build-docs`, `build-templates` and `add-account`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path

from qjmap import boundaries, sample, staff
from qjmap.access import AccessError, Person, Role
from qjmap.accounts import SHORTEST, Accounts
from qjmap.audit import Audit
from qjmap.clauses import render_markdown
from qjmap.crs import Projection
from qjmap.district import ROOT, District, load_district, read_settings, read_towns
from qjmap.errors import DataError, Problem, QjmapError
from qjmap.ingest import relative
from qjmap.layers import load_registry
from qjmap.office import Office
from qjmap.rulebook import load_standards
from qjmap.wording import titles
from qjmap.workspace import Workspace, home

TOLERANCE_M = 700.0
"""How far the schematic lines may be simplified: under the spacing of the sample points."""

MOST_HYDRANTS = 50_000
"""More would need no map but a data base."""


def build_geo(key: str, root: Path) -> Path:
    """Build a district's schematic boundary file from its sample points.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    DataError
        The sample points, the settings or the towns are wrong.
    """
    settings = read_settings(key, root)
    towns = read_towns(root / "data" / key, load_registry(root / "data" / "layers.toml"), settings, root)
    source = root / "geo" / key / settings.anchor_file
    file = relative(source, root)
    projection = Projection(*settings.centre)
    anchors = boundaries.read_anchors(source, root)
    with _blaming(file):
        units = boundaries.build(anchors, projection, TOLERANCE_M)
    order = [*towns.index, *settings.context_units]
    problems = [Problem(file, None, "unit", one, "本区街镇名") for one in units.index if one not in order]
    problems += [
        Problem(file, None, "unit", None, f"有“{one}”的样点") for one in order if one not in units.index
    ]
    if problems:
        raise DataError(problems)
    quoted = (towns["area_km2_quoted"].dropna() * 1e6).to_dict()
    units = boundaries.calibrate(units.loc[order], {str(town): float(area) for town, area in quoted.items()})
    units["code"] = towns["code"].reindex(order).fillna("")
    units["kind"] = towns["kind"].astype("str").reindex(order).fillna("背景")
    metadata = {
        "title": f"{settings.name}{settings.boundary_kind}",
        "notice": settings.boundary_notice,
        "method": f"由 {file} 各样点的泰森多边形按街镇合并、整体化简({TOLERANCE_M:g} 米)而成;"
        "与公布面积相差超过一成的街镇,界线整体外移或内移到一成以内",
    }
    target = root / "geo" / key / settings.boundary_file
    with _blaming(file):
        text = boundaries.to_geojson(units, projection, metadata)
    target.write_text(text, encoding="utf-8", newline="\n")
    return target


@contextmanager
def _blaming(file: str) -> Iterator[None]:
    """Tell what cannot be drawn as a fault of the sample points."""
    try:
        yield
    except ValueError as error:
        raise DataError([Problem(file, None, None, str(error), "能组成互不重叠的面的样点")]) from error


def build_demo(district: District, folder: Path, *, hydrants: int = 2000) -> list[Path]:
    """Invent the demo registers and write them, one CSV a layer.

    Parameters
    ----------
    district
        The district.
    folder
        Where to write; made if it is not there.
    hydrants
        How many hydrants; the other registers have their usual length.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    DataError
        The district has no boundaries.
    NoRoomError
        There is no room for so many hydrants.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for key, make in sample.MAKERS.items():
        frame = make(district, n=hydrants) if key == "hydrants" else make(district)
        path = folder / district.registry.spec(key).file
        frame.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
        written.append(path)
    return written


def build_templates(root: Path, *, overwrite: bool = False) -> Path:
    """Write the default Word template of the 短板通报.

    Raises
    ------
    DataError
        There is one, perhaps changed by the office, and `overwrite` does not say to replace it.
    """
    from qjmap import _template, report  # docx and typst are for this command alone

    target = root / report.FOLDER / report.DOCX
    if target.exists() and not overwrite:
        file = relative(target, root)
        raise DataError([Problem(file, None, None, None, "尚不存在的文件", "要换掉它,加 --overwrite")])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_template.build())
    return target


def add_account(
    name: str, role: Role, department: str, district: District, *, overwrite: bool = False
) -> Person:
    """Add an account of the office's own in `QJMAP_HOME`, its password asked for and not shown.

    Raises
    ------
    AccessError
        The two passwords differ, or see `qjmap.accounts.Accounts.add`.
    """
    folder = home()
    password = getpass(f"“{name}”的密码(不少于 {SHORTEST} 个字符):")
    if getpass("再输一遍:") != password:
        raise AccessError("两次输入的密码不同,账号未保存")
    office = Office(district, Workspace(folder, district.key), Audit(folder))
    shell = Person("命令行", Role.ADMIN, means="本机")
    return staff.add_account(
        shell, office, Accounts(folder), name, password, role, department, overwrite=overwrite
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; give 0 when all is well, 1 when the data are wrong (said on standard error)."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except QjmapError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"无法读取或写入 {error.filename}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qjmap.cli", description="由原始资料生成地图所用的文件。")
    commands = parser.add_subparsers(title="命令", required=True, metavar="命令")
    geo = commands.add_parser("build-geo", help="由样点生成示意界线 townships.geojson")
    geo.set_defaults(run=_build_geo)
    demo = commands.add_parser("build-demo", help="生成演示数据(来源=演示),写入 data/<区县>/demo/")
    demo.add_argument("--hydrants", type=_count, default=2000, metavar="个数", help="消火栓个数(默认 2000)")
    demo.add_argument("--out", type=Path, metavar="文件夹", help="写入何处(默认 data/<区县>/demo/)")
    demo.set_defaults(run=_build_demo)
    docs = commands.add_parser("build-docs", help="由 data/standards.toml 生成 docs/standards.md")
    docs.set_defaults(run=_build_docs)
    templates = commands.add_parser(
        "build-templates", help="生成通报的 Word 模板 data/templates/bulletin.docx"
    )
    templates.set_defaults(run=_build_templates)
    account = commands.add_parser("add-account", help="在 QJMAP_HOME 中新增本单位的账号(密码另行询问)")
    account.set_defaults(run=_add_account)
    account.add_argument("name", metavar="账号名")
    account.add_argument("--role", choices=list(Role), default=Role.VIEW, type=Role, help="默认为浏览")
    account.add_argument("--department", default="", metavar="部门", help="录入角色管哪个部门的图层")
    account.add_argument("--overwrite", action="store_true", help="换掉已有账号的密码和角色,并解除锁定")
    templates.add_argument("--overwrite", action="store_true", help="换掉已有的(可能改过的)模板")
    for one in (docs, geo, demo, templates, account):
        one.add_argument(
            "--district", default="qijiang", metavar="区县", help="data/ 下的文件夹名(默认 qijiang)"
        )
        one.add_argument("--root", type=Path, default=ROOT, metavar="文件夹", help="项目文件夹(默认为本项目)")
    return parser


def _build_docs(options: argparse.Namespace) -> None:
    district = load_district(options.district, options.root)
    path = options.root / "data" / "standards.toml"
    standards = load_standards(path, district.registry, district.documents.index)
    target: Path = options.root / "docs" / "standards.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(render_markdown(standards, titles(district.documents)), encoding="utf-8", newline="\n")
    print(f"已写入 {target}")


def _build_templates(options: argparse.Namespace) -> None:
    print(f"已写入 {build_templates(options.root, overwrite=options.overwrite)}")


def _add_account(options: argparse.Namespace) -> None:
    district = load_district(options.district, options.root)
    person = add_account(
        options.name, options.role, options.department, district, overwrite=options.overwrite
    )
    print(f"已保存账号“{person.name}”({person.role}{person.department and f',{person.department}'})")


def _build_geo(options: argparse.Namespace) -> None:
    print(f"已写入 {build_geo(options.district, options.root)}")


def _build_demo(options: argparse.Namespace) -> None:
    district = load_district(options.district, options.root)
    for path in build_demo(district, options.out or district.data / "demo", hydrants=options.hydrants):
        print(f"已写入 {path}")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_HYDRANTS:
        raise argparse.ArgumentTypeError(f"应为 1~{MOST_HYDRANTS} 的整数")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
