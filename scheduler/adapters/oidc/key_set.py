"""The issuer's public keys: which of them can be used, and when they are asked for again."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from scheduler.ports.clock import Clock

FRESH_S = 3600.0
"""The ceiling: older keys are asked for again before one is used."""
RESTING_S = 10.0
"""The floor: a key that is not there is asked for at most so often."""
MOST_KEYS = 50
LEAST_RSA_BITS = 2048
_BITS_PER_LETTER = 6
"""Of base64; 2,048 bits are 342 letters, of which the last has two."""

Key = RSAKey | ECKey | OKPKey
_FAMILIES: Mapping[str, tuple[str, type[RSAKey] | type[ECKey] | type[OKPKey], frozenset[str]]] = MappingProxyType(
    {
        "RS256": ("RSA", RSAKey, frozenset({"kty", "n", "e"})),
        "ES256": ("EC", ECKey, frozenset({"kty", "crv", "x", "y"})),
        "EdDSA": ("OKP", OKPKey, frozenset({"kty", "crv", "x"})),
        "Ed25519": ("OKP", OKPKey, frozenset({"kty", "crv", "x"})),
    }
)
ALGORITHMS = frozenset(_FAMILIES)
"""The only ones: each belongs to one family of keys, none to a shared secret."""
_CURVES = {"ES256": "P-256", "EdDSA": "Ed25519", "Ed25519": "Ed25519"}


@dataclass(frozen=True, slots=True)
class UsableKey:
    """A public key and the one algorithm it is used with."""

    key_id: str | None
    algorithm: str
    key: Key


def usable_keys(document: Mapping[str, Any]) -> tuple[UsableKey, ...]:
    """Return the keys of a key set that signatures may be checked with; all others are passed over."""
    listed = document.get("keys")
    found = []
    for entry in listed[:MOST_KEYS] if isinstance(listed, list) else []:
        for algorithm in _FAMILIES:
            key = _usable(entry, algorithm) if isinstance(entry, dict) else None
            if key is not None:
                found.append(key)
    return tuple(found)


def _usable(entry: Mapping[str, Any], algorithm: str) -> UsableKey | None:
    family, kind, members = _FAMILIES[algorithm]
    operations = entry.get("key_ops", ["verify"])
    if (
        entry.get("kty") != family
        or entry.get("alg", algorithm) != algorithm
        or entry.get("use", "sig") != "sig"
        or not (isinstance(operations, list) and "verify" in operations)
        or entry.get("crv") != _CURVES.get(algorithm)
    ):
        return None
    if family == "RSA" and len(str(entry.get("n"))) * _BITS_PER_LETTER < LEAST_RSA_BITS:
        return None
    try:
        key = kind.import_key({name: entry[name] for name in members})
    except (JoseError, KeyError, ValueError, TypeError):
        return None
    key_id = entry.get("kid")
    return UsableKey(key_id if isinstance(key_id, str) else None, algorithm, key)


class KeySet:
    """The keys of one issuer, as they were last fetched. Safe for threads."""

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: tuple[UsableKey, ...] = ()
        self._fetched_s: float | None = None

    def find(self, key_id: str | None, algorithm: str) -> Key | None:
        """Return the one key that a token was signed with, None where that cannot be said.

        Keys that are not known are asked for, at most every 10 s. Raises IssuerUnavailable.
        """
        with self._lock:
            if self._age_s() >= FRESH_S:
                self._refresh()
            key = self._known(key_id, algorithm)
            if key is None and self._age_s() >= RESTING_S:
                self._refresh()
                key = self._known(key_id, algorithm)
            return key

    def _age_s(self) -> float:
        return FRESH_S if self._fetched_s is None else self._clock.monotonic_s() - self._fetched_s

    def _refresh(self) -> None:
        self._keys = usable_keys(self._fetch())
        self._fetched_s = self._clock.monotonic_s()

    def _known(self, key_id: str | None, algorithm: str) -> Key | None:
        fitting = [one.key for one in self._keys if one.algorithm == algorithm and key_id in (None, one.key_id)]
        return fitting[0] if len(fitting) == 1 else None
