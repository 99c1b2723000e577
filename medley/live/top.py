"""`medley top`: looks again whenever something happened, and draws what it saw."""

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from medley.answers import Json
from medley.client import Client
from medley.commands.connection import connected
from medley.errors import MedleyError
from medley.exit_codes import ExitCode
from medley.live.board import Look, Window, board, plain_board
from medley.live.keys import keys_to
from medley.live.view import View
from medley.screens.amounts import now
from medley.screens.output import has_colour, is_terminal, say

_ENDING = ("q", "Q")
_WHOLE_JOBS = 100
_PLAIN_JOBS = 50
_MOST_ROWS = 2000
"""Of the jobs that hold devices, and of those that wait; beyond the first hundred they are read in short."""
_HOLDING = ("stopping", "running", "starting", "placed")
_SHORTEST_PAUSE_S = 0.5
_TIMES_A_LOOK = 4
"""Between two looks, however much happens: so many times as long as a look takes, and at least half a second."""
_LONGEST_PAUSE_S = 5.0
"""A hint may be lost, and ages grow."""
_LISTEN_AGAIN_S = 2.0
_ENTER = "\x1b[?1049h\x1b[?25l"
"""The other screen of the terminal, without a cursor."""
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _CLEAR_TO_END_OF_LINE, _CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def top() -> int:
    """Show jobs and capacity, live, until `q` or Ctrl-C; without a terminal print them once."""
    with connected() as client:
        who = client.whoami()
        if not is_terminal(sys.stdout):
            say(plain_board(_look(client, who, most_jobs=_PLAIN_JOBS)))
            return ExitCode.OK
        try:
            with _whole_screen():
                _stay(client, who)
        except KeyboardInterrupt:
            pass
        return ExitCode.OK


class _Screen:
    """What is shown, and what the keys and the server's events ask for. Methods may be called by any thread."""

    def __init__(self, client: Client, who: Json) -> None:
        self._client, self._who = client, who
        self._look = _look(client, who)
        self._trouble: str | None = None
        self._view, self._pages = View(), 1
        self._happened, self._stirred = threading.Event(), threading.Event()
        self.is_over = False

    def tell(self) -> None:
        """Say that something happened at the server."""
        if not self._happened.is_set():
            self._happened.set()
            self._stirred.set()

    def press(self, key: str) -> None:
        """Do what a key asks for."""
        self.is_over = self.is_over or key in _ENDING
        self._view = self._view.after(key, self._pages)
        self._stirred.set()

    def draw(self, *, has_keys: bool) -> None:
        """Draw what was seen last."""
        shown = board(self._look, _window(has_keys=has_keys), now(), self._trouble, self._view)
        self._pages = shown.pages
        _draw(shown.lines)

    def wait(self, earliest_s: float, latest_s: float) -> bool:
        """Wait for a key or for the time to look again; say whether it is that. Both by the monotonic clock."""
        due_s = earliest_s if self._happened.is_set() else latest_s
        self._stirred.wait(max(0.0, due_s - time.monotonic()))
        self._stirred.clear()
        return time.monotonic() >= (earliest_s if self._happened.is_set() else latest_s)

    def look(self) -> None:
        """Look at the server anew. Raises MedleyError where it refuses for good."""
        self._happened.clear()
        try:
            self._look, self._trouble = _look(self._client, self._who), None
        except MedleyError as error:
            if error.exit_code != ExitCode.UNAVAILABLE:
                raise
            self._trouble = error.what


def _stay(client: Client, who: Json) -> None:
    """Look and draw until `q`; keys are obeyed at once. Raises ApiProblem where the server refuses for good."""
    screen = _Screen(client, who)
    _listen(client, screen.tell)
    earliest_s, latest_s = 0.0, time.monotonic() + _LONGEST_PAUSE_S
    with keys_to(screen.press) as has_keys:
        while not screen.is_over:
            screen.draw(has_keys=has_keys)
            if not screen.wait(earliest_s, latest_s) or screen.is_over:
                continue
            began_s = time.monotonic()
            screen.look()
            ended_s = time.monotonic()
            pause_s = max(_SHORTEST_PAUSE_S, _TIMES_A_LOOK * (ended_s - began_s))
            earliest_s, latest_s = ended_s + min(_LONGEST_PAUSE_S, pause_s), ended_s + _LONGEST_PAUSE_S


def _look(client: Client, who: Json, *, most_jobs: int | None = None) -> Look:
    """Look at all jobs that are not over, or at so many of them."""
    use = client.utilisation()
    if most_jobs is None:
        running, queued = _all_jobs(client, _HOLDING), _all_jobs(client, ("queued",))
    else:
        running = _first_jobs(client, _HOLDING, most_jobs)
        queued = _first_jobs(client, ("queued",), most_jobs - len(running))
    name = f"{who['name']} ({who['role']}{' of ' + who['tenant'] if who['tenant'] else ''})"
    has_more = max(len(running), len(queued)) >= _MOST_ROWS
    return Look(name, client.address, use["pools"], use["tenants"], running, queued, now(), has_more)


def _first_jobs(client: Client, states: Sequence[str], most: int) -> list[Json]:
    return list(islice(client.jobs(state=list(states), limit=most), most)) if most else []


def _all_jobs(client: Client, states: Sequence[str]) -> list[Json]:
    """Return the newest jobs whole, and as many more in short as there are, up to a bound."""
    whole = _first_jobs(client, states, _WHOLE_JOBS)
    if len(whole) < _WHOLE_JOBS:
        return whole
    known = {job["id"]: job for job in whole}
    return [known.get(row["id"], row) for row in islice(client.job_rows(state=list(states)), _MOST_ROWS)]


def _listen(client: Client, tell: Callable[[], None]) -> None:
    """Have it told whenever anything happens; what is lost is made good by looking every few seconds."""

    def listen() -> None:
        while True:
            try:
                for _ in client.events():
                    tell()
            except MedleyError:
                time.sleep(_LISTEN_AGAIN_S)
            except Exception:  # noqa: BLE001 - closing the client under this thread may raise anything
                return

    threading.Thread(target=listen, name="top-events", daemon=True).start()


def _window(*, has_keys: bool) -> Window:
    size = shutil.get_terminal_size()
    return Window(size.columns, size.lines, has_colour=has_colour(), has_keys=has_keys)


@contextmanager
def _whole_screen() -> Iterator[None]:
    """Take the terminal's other screen, and give it back as it was whatever happens."""
    try:
        _write(_ENTER)
        yield
    finally:
        _write(_LEAVE)


def _draw(lines: list[str]) -> None:
    """Draw over what is there, so that nothing flickers."""
    _write(_HOME + f"{_CLEAR_TO_END_OF_LINE}\r\n".join(lines) + _CLEAR_TO_END_OF_LINE + _CLEAR_BELOW)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
