"""What is said when a sign-in from outside does not come about: Streamlit says two English words, or nothing."""

from __future__ import annotations

import logging
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from streamlit import config

from qjmap.errors import DataError, Problem
from qjmap.oidc import check_settings
from qjmap.ui.handover import folder

if TYPE_CHECKING:
    from starlette.middleware import Middleware
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_AWAY = "统一身份认证现在连不上,没有登录。请过一会儿再试;还不行,请告诉管理人员。"
_BROKEN = "登录没有完成:统一身份认证没有同意,或它的答复核对不上。请再登录一次;还不行,请告诉管理人员。"
_FAILED = "登录没有完成:程序出错,原因已写入服务日志。请告诉管理人员。"
_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>登录没有完成</title><style>
body {{ font: 16px/1.7 "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; color: #22303c;
  margin: 12vh auto; max-width: 34rem; padding: 0 1.2rem; }}
h1 {{ font-size: 1.5rem; margin: 0; }} a {{ color: #1d4f8c; }}
</style></head><body><h1>登录没有完成</h1><p>{said}</p>
<p><a href="{back}">回到一张图(不登录也可查看)</a></p></body></html>"""


_log = logging.getLogger(__name__)
_wrong: tuple[Problem, ...] = ()


def get_ready() -> None:
    """Look at the settings before Streamlit does, once: what it would stumble over at every page is set aside.

    The faults go to the server's log, and to whoever wants to sign in (`wrong_settings`). Mended settings are seen
    after a restart.
    """
    global _wrong
    try:
        check_settings(Path(one) for one in config.get_option("secrets.files"))
    except DataError as error:
        _wrong = error.problems
        config.set_option("secrets.files", [])
        _log.error("统一身份认证没有配好,改正后请重启服务。\n%s", error)


def wrong_settings() -> tuple[Problem, ...]:
    """Give what was wrong with the settings when the server started: nobody can be sent outside with them."""
    return _wrong


class Told:
    """Looks at the answers of the two addresses of the sign-in, and says in words which of them are none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer in place of what would leave a person without a word."""
        at = scope.get("path", "").removeprefix(folder()) if scope["type"] == "http" else ""
        if at not in ("/auth/login", "/oauth2callback"):
            await self.app(scope, receive, send)
            return
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        instead, begun = "", False

        async def pass_on(message: Message) -> None:
            nonlocal instead, begun
            if message["type"] == "http.response.start":
                begun = True
                instead = _said(at, message, answers="code" in asked or "error" in asked)
                if instead:
                    cookies = [one for one in message["headers"] if one[0] == b"set-cookie"]
                    message = {**message, "status": 400, "headers": [*_headers(instead.encode()), *cookies]}
            elif instead:
                if message.get("more_body"):
                    return
                message = {"type": "http.response.body", "body": instead.encode()}
            await send(message)

        try:
            await self.app(scope, receive, pass_on)
        except Exception:
            if begun:
                raise
            _log.exception("A sign-in that nobody foresaw")
            page = _page(_FAILED).encode()
            await send({"type": "http.response.start", "status": 500, "headers": _headers(page)})
            await send({"type": "http.response.body", "body": page})


def _headers(page: bytes) -> list[tuple[bytes, bytes]]:
    kind = (b"content-type", b"text/html; charset=utf-8")
    return [kind, (b"content-length", str(len(page)).encode()), (b"cache-control", b"no-store")]


def _said(at: str, start: Message, *, answers: bool) -> str:
    """Give the page that takes an answer's place; empty when the answer may stand.

    Parameters
    ----------
    at
        The address that was asked.
    start
        How the answer begins: its status and headers.
    answers
        Whether the service outside sent the person back with something: it does so without after a sign-out, too.
    """
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

    if at == "/auth/login":
        said = _AWAY if start["status"] >= 400 else ""
    else:
        name = f"{USER_COOKIE_NAME}=".encode()
        came = any(
            key == b"set-cookie" and value.startswith(name) and b"max-age=0" not in value.lower()
            for key, value in start["headers"]
        )
        said = "" if came or not answers else _BROKEN
    return _page(said) if said else ""


def _page(said: str) -> str:
    return _PAGE.format(said=escape(said), back=escape(f"{folder()}/"))


def middleware() -> list[Middleware]:
    """Give what stands between the server and its answers."""
    from starlette.middleware import Middleware

    return [Middleware(Told)]
