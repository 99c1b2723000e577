"""The guides, as a reader follows them: every command is run, in order, against a real server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.builders.server import ROOT, ServerProcess, strays

DOCS = ROOT / "docs"
ADDRESS = "http://127.0.0.1:8080"
"""Where the guides say that the server is."""
DATA_FOLDERS = (".medley", "/var/lib/medley")
"""Where the guides say that its data are."""
BLOCK = re.compile(r"^```(sh|yaml|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([a-z-]+\.(?:yaml|py))\n")
RUNS_WITHIN_S = 120
SEEN: dict[str, tuple[str, ...]] = {
    "using.md": (
        "would be placed at once, on mixed/",
        "first succeeded",
        "two-nodes succeeded",
        "0 | rank 0 of 2",
        "1 | rank 1 of 2",
        "It waits, 1st in the queue: needs 4 workers, each with 8 free h100-sxm",
        "cancelled",
    ),
    "api.md": ('"tenant":"', "event: ", "It would be placed at once", "succeeded", "pools"),
    "operating.md": ("is what the database", "research may hold any number of h100-sxm", "alice"),
    "commands.md": ("operator is in use", "Logged in"),
}
"""What a reader then sees, beside commands that end well."""


ELSEWHERE = {"access.md", "deploying.md"}
"""Pages whose commands need an organisation's login, a token's id of the reader's, or a cluster with images."""


class Block(NamedTuple):
    """A fenced block of a page."""

    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall((DOCS / page).read_text())]


class Reader:
    """Somebody at a shell in an empty folder."""

    def __init__(self, folder: Path, server: ServerProcess) -> None:
        self._folder = folder
        self._server = server
        programs = folder / "bin"
        programs.mkdir(parents=True)
        for name, what in (("medley", "-m medley"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {what} "$@"\n')
            (programs / name).chmod(0o755)
        self._environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def follow(self, page: str) -> str:
        """Do what a page says; return what was seen. A command that fails is the page's fault."""
        seen = ""
        for block in blocks(page):
            text = self._here(block.text)
            if block.kind == "sh":
                seen += self._run(text)
            elif named := FILE_NAME.match(text):
                (self._folder / named[1]).write_text(text)
        return seen

    def give(self, name: str, content: str) -> None:
        """Put a file into the folder."""
        (self._folder / name).write_text(content)

    def _here(self, text: str) -> str:
        for folder in DATA_FOLDERS:
            text = text.replace(f"{folder}/", f"{self._server.data_folder}/")
        return text.replace(ADDRESS, self._server.address)

    def _run(self, script: str) -> str:
        ended = subprocess.run(
            ["bash", "-e", "-x", "-c", script],
            capture_output=True,
            check=False,
            cwd=self._folder,
            encoding="utf-8",
            env=self._environment,
            stdin=subprocess.DEVNULL,
            timeout=RUNS_WITHIN_S,
        )
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
        return ended.stdout + ended.stderr


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", ROOT / "examples" / "clusters" / "mixed.yaml")
    server.start()
    yield server
    server.stop()
    assert strays(server.data_folder) == []


@pytest.mark.parametrize("page", SEEN)
def test_every_command_of_a_guide_works_as_written(page: str, server: ServerProcess, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "reader", server)
    if page == "api.md":
        reader.give("ada.token", server.tenant("reading"))
    seen = reader.follow(page)
    missing = [words for words in SEEN[page] if words not in seen]
    assert not missing, seen


@pytest.mark.parametrize("page", sorted(page.name for page in DOCS.glob("*.md")))
def test_no_page_has_commands_that_nobody_runs(page: str) -> None:
    assert page in {*SEEN, *ELSEWHERE} or not any(block.kind == "sh" for block in blocks(page))
