"""The settings of a sign-in from outside: what is impossible is refused before anybody is sent there, and said."""

from __future__ import annotations

import asyncio

import pytest

from qjmap.errors import DataError
from qjmap.oidc import check_settings
from qjmap.ui import outside

GOOD = {
    "redirect_uri": '"http://localhost:8501/oauth2callback"',
    "cookie_secret": '"0123456789abcdef0123456789abcdef"',
    "client_id": '"qjmap"',
    "client_secret": '"between-the-two"',
    "server_metadata_url": '"http://localhost:9000/.well-known/openid-configuration"',
}


def written(folder, *, name="secrets.toml", encoding="utf-8", **other):
    lines = [f"{key} = {value}" for key, value in (GOOD | other).items() if value is not None]
    path = folder / name
    path.write_text("\n".join(["# 认证", "[auth]", *lines, ""]), encoding)
    return path


def faults(*paths):
    with pytest.raises(DataError) as told:
        check_settings(paths)
    return told.value.problems


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"redirect_uri": '"https://localhost/qjmap/oauth2callback"'},
        {"redirect_uri": '"http://localhost:{port}/oauth2callback"'},
        {"client_kwargs": '{ prompt = "login" }'},
        {"client_kwargs": '{ scope = "openid groups" }'},
        {"expose_tokens": '"id"'},
        {"expose_tokens": '["id", "access"]'},
    ],
)
def test_settings_that_can_be_true_are_taken(tmp_path, other):
    check_settings([tmp_path / "nowhere.toml", written(tmp_path, **other)])


def test_nothing_set_up_is_no_fault(tmp_path):
    (tmp_path / "other.toml").write_text("[database]\nuser = 'x'\n")
    check_settings([tmp_path, tmp_path / "nowhere" / "secrets.toml", tmp_path / "other.toml"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, None) for key in GOOD),
        *((key, "5") for key in GOOD),
        *((key, '""') for key in GOOD),
        ("redirect_uri", '"/oauth2callback"'),
        ("redirect_uri", '"http://localhost:8501/"'),
        ("redirect_uri", '"http://localhost:99999/oauth2callback"'),
        ("redirect_uri", '"http:///oauth2callback"'),
        ("redirect_uri", '"http://[localhost/oauth2callback"'),
        ("cookie_secret", '"short"'),
        ("server_metadata_url", '"localhost:9000"'),
        ("server_metadata_url", '"ftp://localhost/openid"'),
        ("client_kwargs", '"prompt"'),
        ("client_kwargs", "5"),
        ("expose_tokens", '"refresh"'),
        ("expose_tokens", '["id", "refresh"]'),
    ],
)
def test_each_impossible_setting_is_told_by_its_name_and_without_its_value(tmp_path, key, value):
    (problem,) = faults(written(tmp_path, **{key: value}))
    assert (problem.file, problem.column, problem.value) == ("secrets.toml", f"auth.{key}", None)
    assert problem.expected


def test_all_faults_are_told_at_once(tmp_path):
    found = faults(
        written(tmp_path, redirect_uri="5", cookie_secret=None, client_kwargs='{ scope = "email" }')
    )
    assert [one.column for one in found] == [
        "auth.redirect_uri",
        "auth.cookie_secret",
        "auth.client_kwargs.scope",
    ]


def test_the_service_may_have_a_table_of_its_own(tmp_path):
    own = ("client_id", "client_secret", "server_metadata_url")
    path = written(tmp_path, **dict.fromkeys(own))
    with path.open("a") as file:
        file.write("\n".join(["[auth.default]", *(f"{key} = {GOOD[key]}" for key in own)]))
    check_settings([path])
    assert [one.column for one in faults(written(tmp_path, default='"x"'))] == ["auth.default"]


@pytest.mark.parametrize("text", ["auth = 'x'", "auth = 5", "[[auth]]"])
def test_what_is_no_table_is_told(tmp_path, text):
    path = tmp_path / "secrets.toml"
    path.write_text(text)
    assert [one.column for one in faults(path)] == ["auth"]


@pytest.mark.parametrize(("encoding", "said"), [("gbk", "UTF-8"), ("utf-8-sig", "BOM")])
def test_a_file_that_streamlit_cannot_read_is_told(tmp_path, encoding, said):
    assert said in str(faults(written(tmp_path, encoding=encoding))[0])


def test_one_file_too_many_is_told_with_the_others(tmp_path):
    torn = tmp_path / "torn.toml"
    torn.write_text("[auth\n")
    found = faults(torn, written(tmp_path, client_id=None))
    assert [one.file for one in found] == ["torn.toml", "secrets.toml"]


def test_the_server_sets_impossible_settings_aside_and_says_so(tmp_path, monkeypatch, caplog):
    options = {"secrets.files": [str(written(tmp_path, client_secret="['top-secret']"))]}
    monkeypatch.setattr(outside, "_wrong", ())
    monkeypatch.setattr(outside.config, "get_option", options.get)
    monkeypatch.setattr(outside.config, "set_option", options.__setitem__)
    outside.get_ready()
    assert [one.column for one in outside.wrong_settings()] == ["auth.client_secret"]
    assert options == {"secrets.files": []}
    assert "auth.client_secret" in caplog.text
    assert "top-secret" not in caplog.text


@pytest.mark.parametrize("at", ["/auth/login", "/oauth2callback"])
def test_an_error_that_nobody_foresaw_is_said_in_words(at):
    async def broken(scope, receive, send):
        raise RuntimeError("no setting")

    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(outside.Told(broken)({"type": "http", "path": at, "query_string": b""}, None, send))
    start, body = sent
    assert start["status"] == 500
    assert "请告诉管理人员" in body["body"].decode()
    assert "no setting" not in body["body"].decode()
    with pytest.raises(RuntimeError):
        asyncio.run(
            outside.Told(broken)({"type": "http", "path": "/health", "query_string": b""}, None, send)
        )
