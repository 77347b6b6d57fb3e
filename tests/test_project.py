"""What holds for the project as a whole: its top level, its dependencies, its silence."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import qjmap

ROOT = Path(__file__).parents[1]
TOP = {
    *("app.py", "pages", "geo", "data", "qjmap", "tests", "benchmarks", "docs"),
    *("requirements.txt", "requirements-dev.txt", "pyproject.toml", "Makefile"),
    *("README.md", "README.zh-CN.md", "LICENSE", "CHANGELOG.md", ".gitignore", ".ci", ".streamlit"),
}
# A name space is no request; the app's own address is no outside one.
ALLOWED_ADDRESSES = ("http://www.w3.org/", "http://localhost")


@cache
def tracked() -> tuple[Path, ...]:
    """The files that belong to the project; from a bare copy without git, all that are not made by a make."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
        files = [ROOT / name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        made = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split()} | {".git"}
        files = [
            one for one in ROOT.rglob("*") if one.is_file() and not made & {*one.relative_to(ROOT).parts}
        ]
    return tuple(one for one in files if one.is_file())


def product(*suffixes: str) -> list[Path]:
    """The files of the product itself that end so."""
    return [
        one
        for one in tracked()
        if one.relative_to(ROOT).parts[0] in ("app.py", "pages", "qjmap") and one.suffix in suffixes
    ]


def pins(name: str, *, direct: bool) -> dict[str, str]:
    """The pinned packages of a requirements file: those asked for, or those they bring with them."""
    wanted, brought = (ROOT / name).read_text("utf-8").split("# ---", 1)
    lines = (wanted if direct else brought.split("\n", 1)[1]).splitlines()
    return dict(line.partition(";")[0].strip().split("==") for line in lines if line and line[0] not in "#-")


def imports(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"), file.name)):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names |= {f"{node.module}.{one.name}" for one in node.names}
    return names


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


# ---- the house ----------------------------------------------------------------------------------


def test_the_top_level_holds_only_what_belongs_there():
    assert {one.relative_to(ROOT).parts[0] for one in tracked()} <= TOP


def test_no_page_is_drawn_below_the_ui():
    below = [one for one in product(".py") if one.is_relative_to(ROOT / "qjmap") and "ui" not in one.parts]
    wrong = {
        (name(one), found)
        for one in below
        for found in imports(one)
        if found.split(".")[0] in ("streamlit", "streamlit_folium") or found.startswith("qjmap.ui")
    }
    assert not wrong


def test_the_version_is_told_once():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert told == qjmap.__version__
    assert f"## [{told}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_a_readme_names_only_what_is_there(readme):
    text = (ROOT / readme).read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert set(re.findall(r"\bmake ([a-z]+)", text)) <= targets
    links = re.findall(r"\]\((?!http|#)([^)#]+)", text)
    assert [one for one in links if not (ROOT / one).exists()] == []


# ---- dependencies -------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_and_its_licence_told(file):
    licences = (ROOT / "docs" / "licences.md").read_text("utf-8")
    reasons = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## Dependencies")[2]
    direct, brought = pins(file, direct=True), pins(file, direct=False)
    assert direct
    assert brought
    assert all(re.fullmatch(r"[0-9][0-9.]*(post[0-9]+)?", version) for version in (direct | brought).values())
    assert [one for one in direct if f"| {one} |" not in reasons] == []
    assert [one for one in direct | brought if f"| {one} |" not in licences] == []


def test_the_product_imports_only_what_it_asks_for():
    homes = packages_distributions()
    asked = {one.casefold() for one in pins("requirements.txt", direct=True)}
    wrong = {}
    for file in product(".py"):
        for module in {found.split(".")[0] for found in imports(file)} - {"qjmap", *sys.stdlib_module_names}:
            if not {one.casefold() for one in homes.get(module, [])} & asked:
                wrong[name(file)] = module
    assert not wrong


# ---- silence ------------------------------------------------------------------------------------


def test_the_product_names_no_outside_address():
    wrong = {
        (name(file), address)
        for file in product(".py", ".js", ".css", ".html", ".svg")
        for address in re.findall(
            r"(?:https?:)?//[\w-]+\.[\w./-]+|https?://[\w./-]+", file.read_text("utf-8")
        )
        if not address.startswith(ALLOWED_ADDRESSES)
    }
    assert not wrong


def test_the_server_asks_nobody_anything():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["browser"]["gatherUsageStats"] is False
    # A headless server looks up its outside address on the internet, only to print it, unless it is told one.
    assert config["browser"]["serverAddress"] == "localhost"
    # One that is not headless asks for an e-mail address and waits.
    assert config["server"]["headless"] or config["server"]["showEmailPrompt"] is False


def test_nothing_of_the_machine_it_was_made_on_stands_in_the_project():
    # Put together here, or this file would hold them.
    marks = ["/" + "work/", "/" + "opt/", "index" + "-url", "/" + "root/"]
    wrong = {
        (name(file), mark)
        for file in tracked()
        if file.suffix not in (".png", ".woff2", ".xlsx", ".parquet")
        for mark in marks
        if mark in file.read_text("utf-8", errors="replace")
    }
    assert not wrong
