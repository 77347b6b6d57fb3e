"""How a browser gets, and gives back, the cookie by which a sign-in outlives its page.

A page cannot set a cookie that scripts cannot read; an answer to a request can. So after a sign-in the page is given a
code, which a script sends once to a route of ours, and the answer sets the cookie. Imported by the server before it
answers anybody, so nothing large may be imported here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st

from qjmap import sessions

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

HELD = sessions.SignIns()
"""The sign-ins that this server holds."""
KIND = "text/x-qjmap-code"
"""The type of what is sent: none that a form of another site can send."""

_BODY = 200  # bytes: a code is shorter


def folder() -> str:
    """Give the folder of the app in its address, without a slash at its end."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def path() -> str:
    """Give the path of the route."""
    return f"{folder()}/auth/account"


def cookie() -> str:
    """Name the cookie: those of one machine know no ports, and two districts may be served side by side."""
    return f"qjmap_{st.get_option('server.port')}"


def browser(cookies: Mapping[str, str]) -> str:
    """Tell one browser from others, by the chance in Streamlit's own cookie against forged requests; or empty."""
    from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string
    from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

    chance, _ = decode_xsrf_token_string(cookies.get(XSRF_COOKIE_NAME, ""))
    return hashlib.sha256(chance).hexdigest() if chance else ""


def routes() -> list[BaseRoute]:
    """Give what the server answers beside Streamlit's own: the exchange of a code for a cookie, and its end."""
    from starlette.routing import Route

    return [Route(path(), _give, methods=["POST"]), Route(path(), _take, methods=["DELETE"])]


async def _give(request: Request) -> Response:
    """Exchange the code for the cookie."""
    from starlette.responses import Response

    if not _ours(request) or request.headers.get("content-type") != KIND:
        return Response(status_code=403)
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _BODY:
        return Response(status_code=413)
    code = (await request.body()).decode("ascii", "replace")
    token = HELD.redeem(code, browser(request.cookies), datetime.now().astimezone())
    if token is None:
        return Response(status_code=403)
    answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
    # Without an age it goes with the browser; how long it opens anything is the server's affair.
    answer.set_cookie(
        cookie(),
        token,
        path=folder() or "/",
        httponly=True,
        samesite="strict",
        secure=request.headers["origin"].startswith("https:"),
    )
    return answer


async def _take(request: Request) -> Response:
    """Take the cookie back; what it stood for ends, too."""
    from starlette.responses import Response

    if not _ours(request):
        return Response(status_code=403)
    HELD.close(HELD.known(request.cookies.get(cookie(), "")))
    answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
    answer.delete_cookie(cookie(), path=folder() or "/", httponly=True, samesite="strict")
    return answer


def _ours(request: Request) -> bool:
    """Tell whether a request comes from a page of this server, at the name by which it was asked.

    Browsers say where a request comes from (`Origin`) and no script can change it; `Sec-Fetch-Site` they say only on
    https and on the machine itself.
    """
    from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

    host, origin = request.headers.get("host", ""), ""
    with suppress(ValueError):
        origin = urlsplit(request.headers.get("origin", "")).netloc
    site = request.headers.get("sec-fetch-site", "same-origin")
    return bool(host) and origin.lower() == host.lower() and site == "same-origin" and is_host_allowed(host)
