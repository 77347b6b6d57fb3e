"""The settings of a sign-in from outside (OIDC): what `secrets.toml` must say before anybody is sent there.

Streamlit reads the file and takes it on trust: what is no setting at all would break every page, or show a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qjmap._entries import read_toml
from qjmap.errors import DataError, Problem

SHORTEST_SECRET = 32
"""Characters of the key that signs the cookie in which it stands who somebody is."""

CALLBACK = "/oauth2callback"
"""Where the service outside sends people back to, below the address of the map."""

_SAVE_AS = "用记事本另存时,编码选“UTF-8”,不选“带有 BOM 的 UTF-8”"
_MARK = b"\xef\xbb\xbf"
_TOKENS = frozenset({"id", "access"})


def check_settings(files: Iterable[Path]) -> None:
    """Refuse settings with which nobody could sign in; files without `[auth]`, or none at all, set nothing up.

    No value is told: some are secret, and what is wrong is shown to everybody.

    Parameters
    ----------
    files
        Where Streamlit looks (`secrets.files`), the later before the earlier; what does not exist is left out.

    Raises
    ------
    DataError
        With every fault.
    """
    said: dict[str, Any] = {}
    problems: list[Problem] = []
    file = "secrets.toml"
    for path in files:
        if not _is_there(path):
            continue
        try:
            raw = read_toml(path, DataError)
            if path.read_bytes().startswith(_MARK):
                raise DataError(
                    [Problem(path.name, None, None, None, "不带 BOM 标记的 UTF-8 文件", _SAVE_AS)]
                )
        except DataError as error:
            problems += error.problems
            continue
        said |= raw
        file = path.name if "auth" in raw else file
    if "auth" in said:
        _check(file, said["auth"], problems)
    if problems:
        raise DataError(problems)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # what may not be looked for may not be read either: reading says why


def _check(file: str, auth: object, problems: list[Problem]) -> None:
    """Note what is wrong in `[auth]`: its values are never noted."""

    def fault(name: str, expected: str) -> None:
        problems.append(Problem(file, None, f"auth.{name}".rstrip("."), None, expected))

    if not isinstance(auth, Mapping):
        fault("", "[auth] 一节")
        return
    # the service may have a table of its own, in which the last three stand
    service = auth.get("default", auth)
    if not isinstance(service, Mapping):
        fault("default", "[auth.default] 一节")
        return
    if not _is_address(auth.get("redirect_uri"), CALLBACK):
        fault("redirect_uri", f"以 http 或 https 开头、以 {CALLBACK} 结尾的完整网址")
    secret = auth.get("cookie_secret")
    if not isinstance(secret, str) or len(secret) < SHORTEST_SECRET:
        fault("cookie_secret", f"不少于 {SHORTEST_SECRET} 个字符的随机文字,否则登录容易被伪造")
    for name in ("client_id", "client_secret"):
        if not isinstance(service.get(name), str) or not service[name].strip():
            fault(name, "认证平台登记本应用时给的一段文字")
    if not _is_address(service.get("server_metadata_url")):
        fault("server_metadata_url", "以 http 或 https 开头的完整网址,由认证平台提供")
    asked = service.get("client_kwargs", {})
    if not isinstance(asked, Mapping):
        fault("client_kwargs", '花括号里的一组设置,如 { prompt = "login" }')
    elif "openid" not in str(asked.get("scope", "openid")).split():
        fault("client_kwargs.scope", "含 openid 的一段文字")
    tokens = auth.get("expose_tokens", [])
    if not {str(one) for one in (tokens if isinstance(tokens, list) else [tokens])} <= _TOKENS:
        fault("expose_tokens", "id、access 之一或两者")


def _is_address(value: object, end: str = "") -> bool:
    """Tell whether something is an absolute web address that ends so; `{port}` stands for the server's own."""
    try:
        at = urlsplit(str(value).replace("{port}", "1"))
        whole = bool(at.hostname) and at.port != 0
    except ValueError:
        return False
    return isinstance(value, str) and at.scheme in ("http", "https") and whole and at.path.endswith(end)
