"""Who may call: hashed API keys with scopes, or, when no keys are configured, only this machine."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.errors import InputError, bad
from serving.keys import Key, KeyFile

PLATFORM, RISK, DATASCIENCE, ADMIN = "platform", "risk", "datascience", "admin"
SCOPES = frozenset({PLATFORM, RISK, DATASCIENCE})
PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers of requests that somebody else's may be, though they come from this machine."""


@dataclass(frozen=True)
class Caller:
    """Who asks, and what for: the scopes of the key that was shown. ``admin`` is every scope."""

    name: str
    scopes: frozenset[str]
    key: Key | None = None


LOCAL = Caller("loopback", SCOPES)


class Auth:
    """Tells callers apart. Without keys everyone on the loopback interface has every scope, and nobody else has any."""

    def __init__(self, keys: Iterable[Key] | None = None) -> None:
        self._keys = keys

    @classmethod
    def from_file(cls, path: Path | None) -> "Auth":
        """The keys in a file (:class:`KeyFile`), none for None; InputError for a file that holds no keys."""
        return cls(KeyFile(path) if path else None)

    def caller(self, client: str | None, headers: Mapping[str, str]) -> Caller:
        """Who calls, by address and headers (lower-case names); InputError UNAUTHENTICATED or PERMISSION_DENIED."""
        if self._keys is not None:
            return _by_key(self._keys, headers.get("authorization", ""))
        if passed := next((name for name in PASSED_ON if name in headers), None):
            problem = "without keys no proxy may stand before the service, set CREATORMATCH_KEYS"
            raise bad(passed, problem, headers[passed], "PERMISSION_DENIED")
        host = headers.get("host", "")
        # A page in a local browser can have its own name resolve to 127.0.0.1: then the Host header gives it away.
        if is_loopback(client) and is_loopback(_host(host)):
            return LOCAL
        raise bad("host", "without keys only this machine may call, set CREATORMATCH_KEYS", host, "PERMISSION_DENIED")


def _by_key(keys: Iterable[Key], authorization: str) -> Caller:
    kind, _, secret = authorization.partition(" ")
    digest = hash_key(secret.strip())
    # Every key is compared, each in constant time, so that timing tells nothing about any of them.
    matches = [key for key in keys if hmac.compare_digest(key.sha256, digest)]
    if kind.lower() != "bearer" or not matches:
        raise InputError("Authorization: send 'Bearer <key>' with a known key", code="UNAUTHENTICATED")
    key = matches[0]
    if key.not_after and datetime.now(UTC).replace(tzinfo=None) > key.not_after:
        raise InputError(f"Authorization: this key was good until {key.not_after} UTC", code="UNAUTHENTICATED")
    return Caller(key.name, SCOPES if ADMIN in key.scopes else key.scopes, key)


def require(caller: Caller, scopes: frozenset[str]) -> None:
    """Raises InputError PERMISSION_DENIED unless the caller has one of ``scopes`` (empty: open to everyone)."""
    if scopes and not scopes & caller.scopes:
        raise InputError(f"the key needs the scope {' or '.join(sorted(scopes))}", code="PERMISSION_DENIED")


def hash_key(secret: str) -> str:
    """SHA-256 of a secret in hex; API keys are long and random, so that a slow password hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _host(header: str) -> str:
    """The name in a Host header without its port: ``[::1]:3000`` becomes ``::1``."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


def is_loopback(host: str | None) -> bool:
    """Whether this name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
