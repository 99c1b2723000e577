"""Cursors of pages: opaque to clients, the last item's key to us."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from api.problems import Code, FieldError, refuse

JOB_KEY = re.compile(r"[0-9a-z]{16}")
NAME_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
NODE_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}/[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
"""Also that of a pool: a cluster, and what its nodes have."""
THROUGHPUT_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
"""A tenant, a family and a chip type."""
PROFILE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,220}")
"""The same with a tensor-parallel degree and a micro-batch."""
REPLICA_KEY = re.compile(r"\d{4}", re.ASCII)

Item = TypeVar("Item")


def encode_cursor(key: str) -> str:
    """Return the cursor of a key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, form: re.Pattern[str]) -> str | None:
    """Return the key of a cursor that we handed out, None for none. Raises Refusal for any other text."""
    if cursor is None:
        return None
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        key = ""
    if form.fullmatch(key) is None or encode_cursor(key) != cursor:
        raise bad_cursor()
    return key


def bad_cursor() -> Exception:
    """Return the refusal of a cursor that is none of ours."""
    error = FieldError("/query/cursor", "is not a cursor that this address handed out")
    next_step = "begin without a cursor and follow `next`"
    return refuse(Code.INVALID_REQUEST, f"cursor: {error.detail}", next_step, error)


def cut_page(found: Sequence[Item], limit: int, key: Callable[[Item], str]) -> tuple[Sequence[Item], str | None]:
    """Return a page and the cursor of the next one; `found` has one item more than `limit` where there is more."""
    page = found[:limit]
    return page, encode_cursor(key(page[-1])) if len(found) > limit else None


def page_of_whole(
    items: Iterable[Item], after: str | None, limit: int, key: Callable[[Item], str]
) -> tuple[Sequence[Item], str | None]:
    """Return the page after a key of a list that is read whole, ordered by the key, and the cursor of the next one."""
    later = (item for item in items if after is None or key(item) > after)
    return cut_page(sorted(later, key=key), limit, key)
