"""The folder that a job keeps its checkpoints in: each is a folder of its own, there whole or not at all.

    step-000000000040-attempt-2.1/       whole: it got this name after its last byte was on the disk
    .partial-step-...-attempt-2.1/       being written, or left behind by an attempt that died
    .dropped-step-...-attempt-1.1/       being deleted

The attempt's number and its generation are in the name: two attempts that write at the same time, one of them long
given up, never write to the same place.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FACTS = "medley.json"
"""What is in a checkpoint, for people and for whoever resumes from it."""
FACTS_VERSION = 1

_PARTIAL = ".partial-"
_DROPPED = ".dropped-"
_FORM = re.compile(r"step-(\d{12})-attempt-(\d{1,9})\.(\d{1,9})")


class CannotSave(Exception):
    """A checkpoint was not saved; the message says why, for people."""


@dataclass(frozen=True, order=True)
class Name:
    """Which checkpoint it is. A greater one is what to resume from: a later attempt went on from what it found."""

    attempt: int
    generation: int
    step: int

    def __str__(self) -> str:
        """Return the name of its folder."""
        return f"step-{self.step:012d}-attempt-{self.attempt}.{self.generation}"

    @classmethod
    def parse(cls, text: str) -> Name | None:
        """Return what a folder's name says, None where it is not the name of a whole checkpoint."""
        found = _FORM.fullmatch(text)
        return None if found is None else cls(int(found[2]), int(found[3]), int(found[1]))


class Shelf:
    """One job's checkpoints, as one attempt sees them. What it cannot read is as if it were not there."""

    def __init__(self, folder: str, keep: int) -> None:
        """`keep`: so many whole checkpoints stay, the newest."""
        self.folder = Path(folder)
        self._keep = max(keep, 1)

    def path(self, name: Name) -> Path:
        """Return where a whole checkpoint is."""
        return self.folder / str(name)

    def partial(self, name: Name) -> Path:
        """Return where a checkpoint is written; any rank may make the folder. Raises CannotSave."""
        path = self._partial(name)
        try:
            path.mkdir(parents=True, exist_ok=True)  # the shelf too: somebody may have deleted it
        except OSError as error:
            raise CannotSave(f"the folder {self.folder} cannot be written to ({error.strerror})") from error
        return path

    def commit(self, name: Name, facts: dict[str, Any]) -> None:
        """Make a checkpoint whole, once all ranks have written their part durably. Raises CannotSave.

        One rank does it. A checkpoint that is there under this name already stays as it is.
        """
        partial = self._partial(name)
        try:
            _write_durably(partial / FACTS, {"version": FACTS_VERSION, "step": name.step, **facts})
            _sync(partial)
            if self.path(name).is_dir():
                shutil.rmtree(partial, ignore_errors=True)
                return
            partial.rename(self.path(name))
            _sync(self.folder)
        except OSError as error:
            raise CannotSave(f"the checkpoint in {self.folder} cannot be completed ({error.strerror})") from error

    def abandon(self, name: Name) -> None:
        """Delete what was written of a checkpoint that is not to be."""
        shutil.rmtree(self._partial(name), ignore_errors=True)

    def whole(self) -> list[Name]:
        """Return the checkpoints that are whole, newest first."""
        names = (Name.parse(entry) for entry in self._entries())
        return sorted((name for name in names if name is not None and self.facts(name) is not None), reverse=True)

    def facts(self, name: Name) -> dict[str, Any] | None:
        """Return what is said of a whole checkpoint, None where nothing can be read."""
        try:
            facts = json.loads((self.path(name) / FACTS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return facts if isinstance(facts, dict) else None

    def tidy(self, newest: Name) -> None:
        """Delete what is older than the kept ones, and what earlier attempts left unfinished.

        Nothing newer than `newest` is touched, so that an attempt that was given up deletes nothing of its successor.
        """
        older = [name for name in self.whole() if name <= newest]
        for name in older[self._keep :]:
            dropped = self.folder / f"{_DROPPED}{name}"
            try:
                self.path(name).rename(dropped)  # first: nobody is to find half of it
            except OSError:
                continue
            shutil.rmtree(dropped, ignore_errors=True)
        for entry in self._entries():
            for prefix in (_PARTIAL, _DROPPED):
                left = Name.parse(entry[len(prefix) :]) if entry.startswith(prefix) else None
                if left is not None and left <= newest:
                    shutil.rmtree(self.folder / entry, ignore_errors=True)

    def _partial(self, name: Name) -> Path:
        return self.folder / f"{_PARTIAL}{name}"

    def _entries(self) -> list[str]:
        try:
            return [entry.name for entry in self.folder.iterdir()]
        except OSError:
            return []


def _write_durably(path: Path, document: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems sync no folders
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
