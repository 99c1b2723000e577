"""`medley top`: looks again whenever something happened, and draws what it saw."""

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from medley.answers import Json
from medley.client import Client
from medley.commands.connection import connected
from medley.errors import MedleyError
from medley.exit_codes import ExitCode
from medley.live.board import Look, Window, board, plain_board
from medley.live.keys import ending_keys
from medley.screens.amounts import now
from medley.screens.output import has_colour, is_terminal, say

_LARGEST_PAGE = 200
_PLAIN_JOBS = 50
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


def _stay(client: Client, who: Json) -> None:
    """Look and draw until `q`. Raises ApiProblem where the server refuses for good."""
    happened = threading.Event()
    _listen(client, happened)
    look, trouble = _look(client, who, most_jobs=_window().lines), None
    with ending_keys(happened) as is_over:
        while not is_over.is_set():
            _draw(board(look, _window(), now(), trouble))
            happened.wait(_LONGEST_PAUSE_S)
            happened.clear()
            began_s = time.monotonic()
            try:
                look, trouble = _look(client, who, most_jobs=_window().lines), None
            except MedleyError as error:
                if error.exit_code != ExitCode.UNAVAILABLE:
                    raise
                trouble = error.what
            took_s = time.monotonic() - began_s
            _draw(board(look, _window(), now(), trouble))
            is_over.wait(min(_LONGEST_PAUSE_S, max(_SHORTEST_PAUSE_S, _TIMES_A_LOOK * took_s)))


def _look(client: Client, who: Json, *, most_jobs: int) -> Look:
    use = client.utilisation()
    limit = min(most_jobs, _LARGEST_PAGE)
    running = list(islice(client.jobs(state=list(_HOLDING), limit=limit), limit))
    left = limit - len(running)
    queued = list(islice(client.jobs(state=["queued"], limit=left), left)) if left else []
    name = f"{who['name']} ({who['role']}{' of ' + who['tenant'] if who['tenant'] else ''})"
    return Look(name, client.address, use["pools"], use["tenants"], running, queued, now())


def _listen(client: Client, happened: threading.Event) -> None:
    """Have `happened` set whenever anything does; what is lost is made good by looking every few seconds."""

    def listen() -> None:
        while True:
            try:
                for _ in client.events():
                    happened.set()
            except MedleyError:
                time.sleep(_LISTEN_AGAIN_S)
            except Exception:  # noqa: BLE001 - closing the client under this thread may raise anything
                return

    threading.Thread(target=listen, name="top-events", daemon=True).start()


def _window() -> Window:
    size = shutil.get_terminal_size()
    return Window(size.columns, size.lines, has_colour=has_colour())


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
