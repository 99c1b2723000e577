"""The live screen, in a real terminal and against a real API."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld, open_world, serve
from tests.builders.command import run_medley
from tests.builders.eventually import eventually
from tests.builders.server import ROOT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    with open_world(tmp_path) as opened:
        yield opened


class Screen:
    """What a terminal got to see so far."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.text = ""
        os.set_blocking(descriptor, False)

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._descriptor, key)

    def is_as_before(self) -> bool:
        """Say whether the terminal shows what is typed, and takes it line by line."""
        flags = termios.tcgetattr(self._descriptor)[3]
        return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)

    def shows(self, *texts: str) -> bool:
        """Say whether the latest drawing has all of these."""
        try:
            while piece := os.read(self._descriptor, 65_536):
                self.text += piece.decode()
        except (BlockingIOError, OSError):
            pass
        return all(text in self.text.rpartition("\x1b[H")[2] for text in texts)


@contextmanager
def top(
    environment: dict[str, str], *, has_keyboard: bool = False
) -> Iterator[tuple[Screen, "subprocess.Popen[bytes]"]]:
    """Run the command in a terminal of 100 columns."""
    reading, writing = pty.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    command = [sys.executable, "-m", "medley", "top"]
    given = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **environment}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=given,
        stdin=writing if has_keyboard else subprocess.DEVNULL,
        stdout=writing,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writing)
        try:
            yield Screen(reading), process
        finally:
            process.kill()
    os.close(reading)


def logged_in(world: ApiWorld, address: str, folder: Path) -> dict[str, str]:
    return {
        "MEDLEY_ADDRESS": address,
        "MEDLEY_TOKEN": world.token(Role.SUBMITTER),
        "MEDLEY_CONFIG": str(folder / "login.json"),
        "HOME": str(folder),
    }


def test_the_screen_follows_what_happens_and_ctrl_c_gives_the_terminal_back(world: ApiWorld, tmp_path: Path) -> None:
    with serve(world.app) as address, top(logged_in(world, address, tmp_path)) as (screen, process):
        eventually(lambda: screen.shows("32 devices on 4 nodes, 0 held", "no job runs or waits"), within_s=30)
        world.submit(name="comes-later", workers=1, devices_per_worker=3)
        eventually(lambda: screen.shows("comes-later", "queued"), within_s=60)
        world.step()
        eventually(lambda: screen.shows("32 devices on 4 nodes, 3 held", "running"), within_s=60)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        screen.shows()
        assert screen.text.startswith("\x1b[?1049h")
        assert screen.text.endswith("\x1b[?25h\x1b[?1049l")
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_the_key_q_ends_it_and_gives_the_terminal_back(world: ApiWorld, tmp_path: Path) -> None:
    with (
        serve(world.app) as address,
        top(logged_in(world, address, tmp_path), has_keyboard=True) as (screen, process),
    ):
        eventually(lambda: screen.shows("no job runs or waits", "q ends"), within_s=30)
        assert not screen.is_as_before()
        screen.press(b"x")
        screen.press(b"q")
        assert process.wait(20) == 0
        assert screen.is_as_before()


def test_keys_sort_and_page_at_once_and_the_foot_says_which(world: ApiWorld, tmp_path: Path) -> None:
    for number in range(130):
        world.submit(name=f"job-{number:03d}", workers=1, devices_per_worker=1 + number % 2)
    with (
        serve(world.app) as address,
        top(logged_in(world, address, tmp_path), has_keyboard=True) as (screen, process),
    ):
        eventually(lambda: screen.shows("job-129", "of 130 jobs", "n next"), within_s=30)
        screen.press(b"n")
        eventually(lambda: screen.shows("job-090", "31-60 of 130 jobs") and not screen.shows("job-129"), within_s=60)
        screen.press(b"a")
        eventually(lambda: screen.shows("job-000", "1-", "by age"), within_s=60)
        screen.press(b"aa")
        eventually(lambda: screen.shows("job-000", "by age") and not screen.shows("turned round"), within_s=60)
        screen.press(b"d")
        eventually(
            lambda: screen.shows("job-129", "job-127", "by devices") and not screen.shows("job-128"), within_s=60
        )
        screen.press(b"q")
        assert process.wait(20) == 0
        assert screen.is_as_before()


def test_a_server_that_goes_away_makes_the_screen_old_and_not_empty(world: ApiWorld, tmp_path: Path) -> None:
    world.submit(name="stays", workers=1)
    with serve(world.app) as address:
        going = top(logged_in(world, address, tmp_path))
        screen, process = going.__enter__()
        eventually(lambda: screen.shows("stays", "live"), within_s=30)
    try:
        eventually(lambda: screen.shows("stays", "does not answer"), within_s=60)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        going.__exit__(None, None, None)


def test_without_a_terminal_it_prints_once(world: ApiWorld, tmp_path: Path) -> None:
    world.submit(name="waits", workers=1)
    with serve(world.app) as address:
        shown = run_medley("top", environment=logged_in(world, address, tmp_path))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("32 devices on 4 nodes, 0 held\n\nPOOL")
    assert "\x1b" not in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("waits")
