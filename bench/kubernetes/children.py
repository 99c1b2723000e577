"""Processes of a benchmark that do one thing each: a line of JSON in, a line of JSON out."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
STOP_LIMIT_S = 10.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ChildFailed(Exception):
    """A process of the benchmark ended or took too long; what it printed is on standard error."""


class Child:
    """A module of the benchmarks as a process of its own. It ends with its standard input, so also with this process.

    Use as `with Child("bench.kubernetes.bare") as child: child.ask({...})`.
    """

    def __init__(self, module: str) -> None:
        """`module` calls `answer_questions`."""
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, question: dict[str, Any]) -> None:
        """Send a question whose answer is read later."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ChildFailed(f"{self._module} has ended") from error

    def answer(self, *, within_s: float) -> dict[str, Any]:
        """Return the answer to the oldest question that has none. Raises ChildFailed, and then the process is over."""
        assert self._process.stdout is not None
        timer = threading.Timer(within_s, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise ChildFailed(f"{self._module} ended, or took more than {within_s:g} s")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, question: dict[str, Any], *, within_s: float) -> dict[str, Any]:
        """Send a question and return its answer. Raises ChildFailed."""
        self.tell(question)
        return self.answer(within_s=within_s)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def answer_questions(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Be a child: answer every line of standard input by one of standard output, until there are no more."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def processor_s(pids: Iterable[int]) -> float:
    """Return the processor time of processes and all below them, user and system, so far."""
    parents, used = _processes()
    family = set(pids)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(used.get(pid, 0) for pid in family) / TICKS_PER_S


def _processes() -> tuple[dict[int, int], dict[int, int]]:
    """Return the parent of every process, and the ticks that it and its children that have ended have used."""
    parents, used = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError, IndexError, ValueError):
            rest = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)] = int(rest[1])
            used[int(entry.name)] = sum(int(ticks) for ticks in rest[11:15])
    return parents, used
