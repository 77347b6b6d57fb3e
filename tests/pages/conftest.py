"""Project folders that a page can be shown from, free to break."""

import shutil

import pytest

from qjmap.district import ROOT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the project's data, which the app shows while the test runs."""
    for part in ("data", "geo"):
        shutil.copytree(ROOT / part, tmp_path / part)
    monkeypatch.setenv("QJMAP_ROOT", str(tmp_path))
    return tmp_path
