"""What docs/deploy says is so: the files that it copies are there, the options are known, the service is sound."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser

import pytest

from qjmap.district import ROOT

DEPLOY = ROOT / "docs" / "deploy"


def text(name):
    return (DEPLOY / name).read_text("utf-8")


def service():
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(text("qjmap.service"))
    return parser["Service"]


def test_the_image_holds_all_that_the_product_needs():
    copied = set(re.findall(r"^COPY (\S+) ", text("Dockerfile"), re.M))
    assert all((ROOT / one).exists() for one in copied)
    allowed = {line[1:] for line in text("Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    assert copied == allowed
    top = {"app.py", "pages", "geo", "data", "qjmap", "requirements.txt"}
    assert top <= copied
    python = re.search(r"^FROM python:(\d+)\.(\d+)", text("Dockerfile"), re.M)
    assert python
    assert (int(python[1]), int(python[2])) >= (3, 11)
    assert re.search(r"^USER (?!root)", text("Dockerfile"), re.M)


@pytest.mark.parametrize("command", ["Dockerfile", "qjmap.service", "nginx.conf"])
def test_every_option_is_one_of_streamlits(command):
    known = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"--(?:server|browser|client)\.\w+", text(command)))
    assert options
    assert all(one in known for one in options)


def test_the_service_starts_the_app_and_may_write_no_more_than_it_must():
    unit = service()
    assert unit["ExecStart"].split()[1:5] == ["-m", "streamlit", "run", "app.py"]
    assert unit["ProtectSystem"] == "strict"
    assert unit["ReadWritePaths"].endswith("/static")
    assert "127.0.0.1" in unit["ExecStart"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_understands_the_service(tmp_path):
    unit = tmp_path / "qjmap.service"
    words = text("qjmap.service").replace("/srv/qjmap/.venv/bin/python", sys.executable)
    unit.write_text(re.sub(r"^(User|Group|WorkingDirectory)=.*\n", "", words, flags=re.M), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert "Unknown" not in done.stderr
    assert done.returncode == 0, done.stderr


def test_the_manual_names_only_what_is_there():
    said = (ROOT / "docs" / "部署.md").read_text("utf-8")
    paths = set(re.findall(r"`((?:docs|data|tests|geo)/[^`*…]*)`", said))
    assert paths
    assert [one for one in paths if not (ROOT / one).exists()] == []
    variables = set(re.findall(r"`(QJMAP_\w+)`", said))
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "qjmap").rglob("*.py"))
    assert [one for one in variables if one not in code] == []
