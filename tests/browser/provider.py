"""A sign-in service (OIDC) for tests: discovery, a page to choose who one is, tokens signed with RS256, sign-out."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "qjmap", "a-secret-between-the-two"


@dataclass
class Provider:
    """Who can sign in (name → claims), what was issued, and what was asked for."""

    people: Mapping[str, Mapping[str, Any]]
    address: str = ""
    forged: bool = False  # signs with a key that it does not publish
    age: int = 0  # seconds since which its tokens are valid
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": "1"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/jwks",
            "end_session_endpoint": f"{self.address}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def token(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Give the tokens for a code, once, to whom it was given."""
        granted = self.codes.pop(asked["code"])
        proof = hashlib.sha256(asked["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(proof).rstrip(b"=").decode() == granted["code_challenge"]
        assert asked["redirect_uri"] == granted["redirect_uri"]
        now = int(time.time())
        claims = {
            **self.people[granted["who"]],
            "iss": self.address,
            "aud": CLIENT,
            "sub": granted["who"],
            "iat": now - self.age,
            "exp": now + 300,
            "nonce": granted["nonce"],
        }
        key = RSAKey.generate_key(2048, parameters={"kid": "1"}) if self.forged else self.key
        return {
            "access_token": secrets.token_urlsafe(),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": jwt.encode({"alg": "RS256", "kid": "1"}, claims, key),
        }


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        asked = {key: value[0] for key, value in parse_qs(at.query).items()}
        self.provider.asked.append(at.path)
        if at.path == "/.well-known/openid-configuration":
            self._json(self.provider.metadata())
        elif at.path == "/jwks":
            self._json({"keys": [self.provider.key.as_dict(private=False)]})
        elif at.path == "/authorize" and "who" not in asked:
            assert asked["client_id"] == CLIENT
            links = [
                f'<p><a href="/authorize?{urlencode(asked | {"who": name})}">{name}</a></p>'
                for name in self.provider.people
            ]
            self._answer("text/html; charset=utf-8", "".join(["<h1>统一身份认证</h1>", *links]).encode())
        elif at.path == "/authorize":
            code = secrets.token_urlsafe()
            self.provider.codes[code] = asked
            self._go(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        elif at.path == "/logout":
            self._go(asked["post_logout_redirect_uri"])
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.provider.asked.append(self.path)
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.path != "/token" or self.headers["Authorization"] != f"Basic {wanted}":
            self.send_error(401)
            return
        self._json(self.provider.token({key: value[0] for key, value in parse_qs(body).items()}))

    def _json(self, content: object) -> None:
        self._answer("application/json", json.dumps(content).encode())

    def _answer(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _go(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def providing(people: Mapping[str, Mapping[str, Any]]) -> Iterator[Provider]:
    """Run the service on a port of its own."""
    provider = Provider(people)
    handler = type("Handler", (_Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider.address = f"http://localhost:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


def secrets_toml(provider: Provider, port: int) -> str:
    """Write the `secrets.toml` of an app on a port."""
    return (
        f'[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\n'
        f'cookie_secret = "{secrets.token_hex(32)}"\nclient_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
        f'server_metadata_url = "{provider.address}/.well-known/openid-configuration"\n'
    )
