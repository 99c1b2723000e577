"""Reading bodies: JSON only, bounded in size, depth and time."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from email.message import Message
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request

from api.problems import Code, refuse

MOST_BODY_BYTES = 1024 * 1024
MOST_DEPTH = 20
LONGEST_READ_S = 30.0
LONGEST_NAME = 63


class JsonRequest(Request):
    """A request whose body is JSON within bounds. `body` and `json` raise Refusal."""

    async def body(self) -> bytes:
        """Return the whole body, counted as it streams in: a length that the client claims proves nothing."""
        if not hasattr(self, "_body"):
            self._require_json()
            try:
                async with asyncio.timeout(LONGEST_READ_S):
                    self._body = await self._read()
            except TimeoutError:
                raise refuse(Code.BODY_TOO_SLOW, f"It did not arrive within {LONGEST_READ_S:.0f} s.") from None
        return self._body

    async def json(self) -> Any:
        """Return the parsed body. NaN and Infinity are not JSON; a name given twice leaves open which one counts."""
        body = await self.body()
        try:
            parsed = from_json(body, allow_inf_nan=False)
        except ValueError as error:
            raise refuse(Code.MALFORMED_JSON, f"{error}."[:200], "send one JSON document in UTF-8") from None
        if body.count(b"{") + body.count(b"[") > MOST_DEPTH and is_deeper_than(MOST_DEPTH, parsed):
            raise refuse(Code.MALFORMED_JSON, f"It is nested deeper than {MOST_DEPTH} levels.")
        json.loads(body, object_pairs_hook=_refuse_repeats, parse_int=str, parse_float=str)
        return parsed

    def _require_json(self) -> None:
        message = Message()
        message["content-type"] = self.headers.get("content-type", "")
        if message.get_content_type() != "application/json":
            detail = "This address takes a body of the content type application/json."
            raise refuse(Code.UNSUPPORTED_MEDIA_TYPE, detail, "set the header Content-Type: application/json")

    async def _read(self) -> bytes:
        declared = self.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:12]) > MOST_BODY_BYTES:
            raise _too_large()
        chunks: list[bytes] = []
        size = 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > MOST_BODY_BYTES:
                raise _too_large()
            chunks.append(chunk)
        return b"".join(chunks)


def is_deeper_than(depth: int, document: object) -> bool:
    """Say whether a JSON document is nested deeper; a number has depth 0, `[]` and `[1]` have depth 1."""
    level: list[object] = [document]
    for _ in range(depth):
        level = [inner for outer in level for inner in _inside(outer)]
    return any(isinstance(value, Mapping | list) for value in level)


def _refuse_repeats(members: list[tuple[str, Any]]) -> None:
    if len(dict(members)) < len(members):
        name, times = Counter(name for name, _ in members).most_common(1)[0]
        detail = f"It has the name {name[:LONGEST_NAME]!r} {times} times in one object."
        raise refuse(Code.MALFORMED_JSON, detail, "give each name once")


def _inside(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_large() -> Exception:
    return refuse(Code.BODY_TOO_LARGE, f"A body may have at most {MOST_BODY_BYTES} bytes.")
