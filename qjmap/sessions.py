"""Sign-ins that a page does not end: who came in, for how long, and in which browser he is known again.

They live in the memory of the one process that serves, so that a copy of the disk opens nothing and a restart ends
them all. A browser is known again by a random token, of which only a hash is kept here; it gets that token once, for a
code that holds for seconds and only in the browser where the password was typed.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

CODE_HOLDS = timedelta(seconds=30)
"""So long may a page take to exchange its code for a token."""
BITS = 256
"""Of chance in a token, a code, a handle."""


@dataclass(frozen=True)
class Limits:
    """How long a sign-in holds at most, and how long unused."""

    longest: timedelta
    idle: timedelta


@dataclass
class _SignIn:
    name: str
    stamp: str
    browser: str
    opened: datetime
    used: datetime

    def holds(self, limits: Limits, now: datetime) -> bool:
        return now - self.opened < limits.longest and now - self.used < limits.idle


@dataclass
class SignIns:
    """The sign-ins that hold now; safe to ask from several threads.

    Each has a handle, which never leaves the server, and may have one token, which is the browser's.
    """

    _held: dict[str, _SignIn] = field(default_factory=dict)
    _codes: dict[bytes, tuple[str, datetime]] = field(default_factory=dict)
    _tokens: dict[bytes, str] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def open(self, name: str, stamp: str, browser: str, limits: Limits, now: datetime) -> str:
        """Begin a sign-in, of whom the caller has let in.

        Parameters
        ----------
        name, stamp
            The account, and what changes when it does (`Accounts.stamp`).
        browser
            What tells this browser from others, in ASCII; empty when nothing does: then it gets no token.
        limits, now
            By which older ones are forgotten; the time.

        Returns
        -------
        str
            Its handle.
        """
        handle = secrets.token_urlsafe(BITS // 8)
        with self._lock:
            self._drop({one for one, held in self._held.items() if not held.holds(limits, now)})
            self._codes = {code: one for code, one in self._codes.items() if now < one[1]}
            self._held[handle] = _SignIn(name, stamp, browser, now, now)
        return handle

    def code(self, handle: str, now: datetime) -> str:
        """Give the code that the browser may exchange for a token; empty when it may not have one."""
        with self._lock:
            held = self._held.get(handle)
            if held is None or not held.browser:
                return ""
            code = secrets.token_urlsafe(BITS // 8)
            self._codes[_digest(code)] = handle, now + CODE_HOLDS
            return code

    def waits(self, code: str, now: datetime) -> bool:
        """Tell whether a code has still to be exchanged."""
        with self._lock:
            found = self._codes.get(_digest(code))
            return found is not None and now < found[1]

    def redeem(self, code: str, browser: str, now: datetime) -> str | None:
        """Exchange a code for a token; None for one that is unknown, used, late, or of another browser.

        Whoever tries uses it up.
        """
        with self._lock:
            handle, until = self._codes.pop(_digest(code), ("", now))
            held = self._held.get(handle)
            if held is None or now >= until or not secrets.compare_digest(held.browser, browser):
                return None
            token = secrets.token_urlsafe(BITS // 8)
            self._tokens[_digest(token)] = handle
            return token

    def known(self, token: str) -> str:
        """Give the handle that a token stands for; empty when it stands for none."""
        with self._lock:
            return self._tokens.get(_digest(token), "")

    def use(self, handle: str, limits: Limits, now: datetime) -> tuple[str, str] | None:
        """Give the name and the stamp of a sign-in, which is thereby used; None when it holds no more."""
        with self._lock:
            held = self._held.get(handle)
            if held is None:
                return None
            if not held.holds(limits, now):
                self._drop({handle})
                return None
            held.used = now
            return held.name, held.stamp

    def close(self, handle: str) -> None:
        """End a sign-in, and every other one in the same browser: who leaves a machine leaves it altogether."""
        with self._lock:
            held = self._held.get(handle)
            if held is not None:
                same = {
                    one for one, other in self._held.items() if held.browser and other.browser == held.browser
                }
                self._drop(same | {handle})

    def _drop(self, handles: set[str]) -> None:
        for handle in handles:
            del self._held[handle]
        if handles:
            self._tokens = {token: one for token, one in self._tokens.items() if one not in handles}
            self._codes = {code: one for code, one in self._codes.items() if one[0] not in handles}


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
