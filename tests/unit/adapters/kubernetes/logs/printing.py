"""A node's log as the API gives it, without a node: lines with times, followed or not, and faults on request."""

import queue
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from scheduler.adapters.kubernetes.transport import ApiFault, Unreachable
from scheduler.adapters.kubernetes.views import ContainerView, Ownership, PodView
from scheduler.core.model.identifiers import WorkerKey

ATTEMPT = "0a1b2c3d4e5f6g7h-g0-a1"
WORKER = WorkerKey(ATTEMPT, 0)
BEGAN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_BEGAN_S = int(BEGAN.timestamp())


def stamp(time_ns: int) -> bytes:
    """Return a time after BEGAN as kubelets write it."""
    second = datetime.fromtimestamp(_BEGAN_S + time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{second}.{time_ns % 10**9:09d}Z".encode()


def running(worker: WorkerKey = WORKER, *, uid: str = "uid-1") -> PodView:
    """Return a worker's pod while it runs."""
    return PodView(
        uid=uid,
        namespace="medley-jobs",
        name=worker.name,
        version=1,
        node="n1",
        phase="Running",
        reason="",
        message="",
        is_gated=False,
        deleted_at=None,
        ownership=Ownership("instance", worker.attempt, worker.rank, 1, "proof", "owner"),
        container=ContainerView("", "", BEGAN, False, None, "", BEGAN, None),
        conditions=(),
        requests=(),
    )


class Printed:
    """A pod's log. Tests print to it; it fulfils what the keeper needs of a transport."""

    def __init__(self) -> None:
        self.queries: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.refusal: ApiFault | Unreachable | None = None
        """What every request ends with from now on."""
        self.breaks_after: int | None = None
        """So many bytes of the next answer come before its connection breaks."""
        self.has_ended = False
        self._guard = threading.Lock()
        self._lines: list[tuple[int, bytes]] = []
        self._answers: list[Printing] = []

    def line(self, text: bytes | str, *, at_ns: int | None = None, is_whole: bool = True) -> None:
        """Print a line, one second after the last unless its time is given."""
        content = text.encode() if isinstance(text, str) else text
        with self._guard:
            at_ns = (self._lines[-1][0] if self._lines else 0) + 10**9 if at_ns is None else at_ns
            entry = (at_ns, stamp(at_ns) + b" " + content + (b"\n" if is_whole else b""))
            self._lines.append(entry)
            for answer in self._answers:
                answer.pieces_left.put(entry[1])

    def more(self, text: bytes) -> None:
        """Go on with the last line."""
        with self._guard:
            at_ns, line = self._lines[-1]
            self._lines[-1] = (at_ns, line + text)
            for answer in self._answers:
                answer.pieces_left.put(text)

    def end(self) -> None:
        """End the container, and with it all answers."""
        with self._guard:
            self.has_ended = True
            for answer in self._answers:
                answer.pieces_left.put(None)

    def cut(self) -> None:
        """Break every connection."""
        with self._guard:
            for answer in self._answers:
                answer.pieces_left.put(Unreachable("cut"))

    @property
    def followed(self) -> int:
        """How many answers are open."""
        with self._guard:
            return sum(not answer.is_closed for answer in self._answers)

    def stream(self, path: str, *, query: Mapping[str, str] | None = None, silence_s: float, accept: str) -> "Printing":
        """Answer a request."""
        assert (silence_s > 0, accept) == (True, "*/*")
        asked = dict(query or {})
        with self._guard:
            self.queries.append(asked)
            self.paths.append(path)
            if self.refusal is not None:
                raise self.refusal
            since_s = datetime.fromisoformat(asked["sinceTime"]).timestamp() if "sinceTime" in asked else 0
            content = b"".join(line for at_ns, line in self._lines if _BEGAN_S * 10**9 + at_ns >= since_s * 10**9)
            answer = Printing()
            if self.breaks_after is not None:
                answer.pieces_left.put(content[: self.breaks_after])
                answer.pieces_left.put(Unreachable("broken"))
                self.breaks_after = None
                return answer
            for begin in range(0, len(content), 1000):
                answer.pieces_left.put(content[begin : begin + 1000])
            if asked.get("follow") == "true" and not self.has_ended:
                self._answers.append(answer)
            else:
                answer.pieces_left.put(None)
            return answer


class Printing:
    """One answer."""

    def __init__(self) -> None:
        self.pieces_left: queue.SimpleQueue[bytes | Unreachable | None] = queue.SimpleQueue()
        self.is_closed = False

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes."""
        while not self.is_closed:
            piece = self.pieces_left.get(timeout=60)
            if piece is None or self.is_closed:
                self.is_closed = True
                return
            if isinstance(piece, Unreachable):
                self.is_closed = True
                raise piece
            yield piece

    def close(self) -> None:
        """End it."""
        self.is_closed = True
        self.pieces_left.put(None)
