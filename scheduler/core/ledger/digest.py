"""One short name for any content, equal exactly where the content is."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime


def digest_of(values: Iterable[object]) -> str:
    """Return the SHA-256, in hex, of values in their order: dataclasses, strings, numbers and tuples of these.

    Times are compared as instants: the same moment in another time zone object gives the same digest.
    """
    digest = hashlib.sha256()
    for value in values:
        digest.update(json.dumps(value, default=_plain, sort_keys=True).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__, **asdict(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"a {type(value).__name__} has no canonical form")
