"""`make demo`: what it leaves behind, and what Ctrl-C does to it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.eventually import eventually
from tests.builders.server import ROOT, strays

FILES = ("examples", "medley", "scheduler", "api", "migrations", "runtime", "pyproject.toml")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project, so that the demonstration's data is its own."""
    for name in FILES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


class Demo:
    """The demonstration as a process, in a session of its own, as a terminal gives it."""

    def __init__(self, checkout: Path, *, once: str) -> None:
        self.output = checkout / f"output-{os.urandom(4).hex()}"
        environment = {**os.environ, "ONCE": once, "PYTHONPATH": f"{checkout}:{checkout / 'runtime'}"}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "examples.demo"],
                cwd=checkout,
                env=environment,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def said(self, words: str) -> bool:
        assert self.process.poll() is None or words in self.output.read_text(), self.output.read_text()
        return words in self.output.read_text()

    def interrupt(self) -> None:
        """Press Ctrl-C: everything in the foreground gets the signal."""
        os.killpg(self.process.pid, signal.SIGINT)


def test_it_trains_ends_by_itself_and_keeps_its_history_for_the_next_run(checkout: Path) -> None:
    for _ in range(2):
        demo = Demo(checkout, once="1")
        assert demo.process.wait(120) == 0, demo.output.read_text()
        text = demo.output.read_text()
        assert "first-training succeeded" in text
        assert "loss fell from 5." in text
        assert "mixed/nvidia-1" in text
    data = checkout / ".medley" / "demo"
    assert (data / "demo.token").stat().st_mode & 0o777 == 0o600
    folders = [path for path in data.rglob("*-g0-a1") if path.is_dir()]
    assert len({path.name for path in folders}) == 2, "the first run's training is still there"
    assert strays(checkout) == []


@pytest.mark.parametrize("words", ["Starting Medley", "rank 0 | step", "Ctrl-C stops it"])
def test_ctrl_c_ends_everything_cleanly_whenever_it_comes(checkout: Path, words: str) -> None:
    demo = Demo(checkout, once="0")
    eventually(lambda: demo.said(words), within_s=90, what=words)
    demo.interrupt()
    status = demo.process.wait(60)
    text = demo.output.read_text()
    assert "Traceback" not in text
    assert "Medley has stopped" in text
    assert status == (0 if words.startswith("Ctrl-C") else 130), text
    eventually(lambda: strays(checkout) == [], within_s=60, what="nothing left running")
