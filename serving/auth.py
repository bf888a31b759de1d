"""Who may call: hashed API keys with scopes, or, when no keys are configured, only this machine."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from features.errors import InputError, bad
from serving.errors import invalid

PLATFORM, RISK, DATASCIENCE = "platform", "risk", "datascience"
SCOPES = frozenset({PLATFORM, RISK, DATASCIENCE})


class Key(BaseModel):
    """One API key: its holder's name, the SHA-256 of the secret in hex, and the scopes it opens."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    scopes: frozenset[Literal["platform", "risk", "datascience"]] = Field(min_length=1)


_KEYS = TypeAdapter(Annotated[list[Key], Field(min_length=1)])


@dataclass(frozen=True)
class Caller:
    """Who asks, and what for: the scopes of the key that was shown."""

    name: str
    scopes: frozenset[str]


LOCAL = Caller("loopback", SCOPES)


class Auth:
    """Tells callers apart. Without keys everyone on the loopback interface has every scope, and nobody else has any."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = tuple(keys)

    @classmethod
    def from_file(cls, path: Path | None) -> "Auth":
        """Keys from a JSON file ``[{name, sha256, scopes}]``, none for None; InputError for any other content."""
        return cls(_read(path) if path else ())

    def caller(self, client: str | None, headers: Mapping[str, str]) -> Caller:
        """Who calls, by address and headers (lower-case names); InputError UNAUTHENTICATED or PERMISSION_DENIED."""
        if self._keys:
            return self._by_key(headers.get("authorization", ""))
        host = headers.get("host", "")
        # A page in a local browser can have its own name resolve to 127.0.0.1: then the Host header gives it away.
        if _is_loopback(client) and _is_loopback(_host(host)):
            return LOCAL
        raise bad("host", "without keys only this machine may call, set CREATORMATCH_KEYS", host, "PERMISSION_DENIED")

    def _by_key(self, authorization: str) -> Caller:
        kind, _, secret = authorization.partition(" ")
        digest = hash_key(secret.strip())
        # Every key is compared, each in constant time, so that timing tells nothing about any of them.
        matches = [key for key in self._keys if hmac.compare_digest(key.sha256, digest)]
        if kind.lower() != "bearer" or not matches:
            raise InputError("Authorization: send 'Bearer <key>' with a known key", code="UNAUTHENTICATED")
        return Caller(matches[0].name, matches[0].scopes)


def require(caller: Caller, scopes: frozenset[str]) -> None:
    """Raises InputError PERMISSION_DENIED unless the caller has one of ``scopes`` (empty: open to everyone)."""
    if scopes and not scopes & caller.scopes:
        raise InputError(f"the key needs the scope {' or '.join(sorted(scopes))}", code="PERMISSION_DENIED")


def hash_key(secret: str) -> str:
    """SHA-256 of a secret in hex; API keys are long and random, so that a slow password hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(path: Path) -> list[Key]:
    try:
        return _KEYS.validate_json(path.read_bytes())
    except OSError as error:
        raise bad("CREATORMATCH_KEYS", f"must be a readable file: {error.strerror}", str(path)) from error
    except ValidationError as error:
        raise invalid(error) from error


def _host(header: str) -> str:
    """The name in a Host header without its port: ``[::1]:3000`` becomes ``::1``."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
