"""The change feed as server-sent events."""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial

import anyio

from api.answers.events import event_answer, is_visible
from api.context import ApiContext
from api.streaming.hints import Hint
from api.streaming.streams import Streams
from scheduler.core.model.change import Change, GroupMoved
from scheduler.core.model.group import FINAL, State
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.tenant import Principal

CHANGES_PER_READ = 200
POLL_S = 2.0
"""A lost hint delays an event by no more than this."""
PAUSE_S = 0.02
"""Hints that come within this time cost one read."""
HEARTBEAT_S = 15.0
ADMITTED_AGAIN_S = 2.5
"""How often a reader is asked again who they are: what is revoked opens nothing 5 s later, polling included."""
HEARTBEAT = b": heartbeat\n\n"


class ChangeEvents:
    """Reads the feed for one reader, as long as it is one: every stream ends soon after its token does."""

    def __init__(
        self, context: ApiContext, streams: Streams, reader: Principal, is_admitted: Callable[[], bool]
    ) -> None:
        self._context = context
        self._streams = streams
        self._reader = reader
        self._is_admitted = is_admitted
        self._admitted_at_s = time.monotonic()

    async def of_everything(self, after: int | None) -> AsyncGenerator[bytes]:
        """Yield what the reader may see: what comes after a change number, or from now on where there is none."""
        position = await self._streams.read(self._context.views.last_change) if after is None else after
        pulse = _Pulse()
        yield _position(position)
        with Hint.listening(self._context.wake_up) as hint:
            while await self._may_go_on():
                changes = await self._read(position, job=None)
                position = _last(changes, position)
                if chunk := pulse.next_chunk(self._encode(changes)):
                    yield chunk
                if len(changes) < CHANGES_PER_READ:
                    await _rest(hint)

    async def of_job(self, job: JobId, after: int) -> AsyncGenerator[bytes]:
        """Yield a job's events after a change number; end with the event `end` once it is final and all is sent."""
        position = after
        pulse = _Pulse()
        yield _position(position)
        with Hint.listening(self._context.wake_up) as hint:
            final_state = await self._final_state(job)
            while await self._may_go_on():
                changes = await self._read(position, job=job)
                position = _last(changes, position)
                if chunk := pulse.next_chunk(self._encode(changes)):
                    yield chunk
                is_last_page = len(changes) < CHANGES_PER_READ
                if final_state is not None and is_last_page:
                    yield f'event: end\ndata: {{"state":"{final_state}"}}\n\n'.encode()
                    return
                if final_state is None and any(_ends_a_group(change) for change in changes):
                    # Its state first, then what is left of the feed: nothing of a final job is missed.
                    final_state = await self._final_state(job)
                if final_state is None and is_last_page:
                    await _rest(hint)

    async def _may_go_on(self) -> bool:
        """Say whether the reader is still admitted, asked again every few seconds, and the server not about to end."""
        if self._context.ending.is_set():
            return False
        now_s = time.monotonic()
        if now_s - self._admitted_at_s < ADMITTED_AGAIN_S:
            return True
        self._admitted_at_s = now_s
        return await self._streams.read(self._is_admitted)

    async def _read(self, position: int, *, job: JobId | None) -> Sequence[Change]:
        read = partial(self._context.views.changes_after, position, limit=CHANGES_PER_READ, job=job)
        return await self._streams.read(read)

    async def _final_state(self, job: JobId) -> State | None:
        view = await self._streams.read(partial(self._context.views.job, job, tenant=None))
        return view.state if view is not None and view.state in FINAL else None

    def _encode(self, changes: Sequence[Change]) -> bytes:
        return b"".join(_event(change, self._reader) for change in changes if is_visible(change, self._reader))


class _Pulse:
    """Knows when a stream was silent for so long that a heartbeat is due."""

    def __init__(self) -> None:
        self._sent_at_s = time.monotonic()

    def next_chunk(self, chunk: bytes) -> bytes:
        """Return the chunk, or a heartbeat where there is none and one is due, or nothing."""
        now_s = time.monotonic()
        if not chunk and now_s - self._sent_at_s < HEARTBEAT_S:
            return b""
        self._sent_at_s = now_s
        return chunk or HEARTBEAT


async def _rest(hint: Hint) -> None:
    await hint.wait(POLL_S)
    await anyio.sleep(PAUSE_S)


def _position(number: int) -> bytes:
    """Return a frame that is no event, but lets a reader who lost the stream before the first one resume from here."""
    return f"id: {number}\n\n".encode()


def _last(changes: Sequence[Change], before: int) -> int:
    return changes[-1].number if changes else before


def _ends_a_group(change: Change) -> bool:
    return isinstance(change.body, GroupMoved) and change.body.group.state in FINAL


def _event(change: Change, reader: Principal) -> bytes:
    answer = event_answer(change, reader.tenant)
    return f"id: {answer.number}\nevent: {answer.kind}\ndata: {answer.model_dump_json()}\n\n".encode()
