"""What tests of pages share: who is in front of them, what somebody else works with, the files they offer."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qjmap.access import LOCAL
from qjmap.audit import Audit
from qjmap.district import load_district
from qjmap.office import Office
from qjmap.ui import who
from qjmap.workspace import Workspace


@pytest.fixture
def at_the_machine(monkeypatch):
    """The person sits at the machine, unless a test says otherwise: `at_the_machine(VISITOR)`."""

    def is_now(person):
        monkeypatch.setattr(who, "person", lambda: person)

    is_now(LOCAL)
    return is_now


@pytest.fixture
def office(folder, workspace_home):
    """What somebody else, at another machine, works with."""
    place = load_district("qijiang", folder)
    return Office(place, Workspace(workspace_home, "qijiang"), Audit(workspace_home))


@pytest.fixture
def offered(monkeypatch):
    """The files that the pages offer: key → what gives the bytes."""
    found = {}

    def download_button(*called, key=None, disabled=False, **_):
        label, data = called[-2:]
        if not disabled:
            found[key or label] = data

    monkeypatch.setattr(st, "download_button", download_button)
    monkeypatch.setattr(DeltaGenerator, "download_button", download_button)
    return found
