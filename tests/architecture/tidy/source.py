"""The files of the project as values, so that a rule can be asked about a sample as well."""

import ast
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[3]

GENERATED = frozenset({"__pycache__", "build", "dist"})
"""Folders that tools write; so is everything whose name begins with a dot, but for .ci, and ends in .egg-info."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path from the root, and what it says."""

    path: PurePosixPath
    text: str

    @property
    def is_python(self) -> bool:
        """True for what Python reads."""
        return self.path.suffix == ".py"

    def is_in(self, *folder: str) -> bool:
        """Say whether the file lies somewhere below a folder."""
        return self.path.parts[: len(folder)] == folder


Rule = Callable[[Source], Iterator[str]]
"""Yields one complaint per fault: where, what, and what to do."""


@cache
def tree(source: Source) -> ast.Module:
    """Return the parsed file."""
    return ast.parse(source.text, str(source.path))


def nodes(source: Source) -> Iterator[ast.AST]:
    """Yield every syntax node; none where the file is not Python."""
    if source.is_python:
        yield from ast.walk(tree(source))


@cache
def project() -> tuple[Source, ...]:
    """Return every file of the project, ordered by path; one that is no text, such as a picture, says nothing."""
    return tuple(_readable(sorted(_paths())))


def sample(path: str, text: str) -> Source:
    """Return a file that does not exist, to try a rule on."""
    return Source(PurePosixPath(path), text)


def complaints(rule: Rule, sources: Iterable[Source]) -> str:
    """Return what a rule says about the files, one complaint per line; empty where all is well."""
    return "\n".join(complaint for source in sources for complaint in rule(source))


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for such an expression, otherwise an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _paths() -> Iterator[Path]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not _is_generated(name)]
        yield from (Path(folder, name) for name in files if name == ".importlinter" or not _is_generated(name))


def _is_generated(name: str) -> bool:
    return name in GENERATED or name.endswith(".egg-info") or (name.startswith(".") and name != ".ci")


def _readable(paths: Iterable[Path]) -> Iterator[Source]:
    for path in paths:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            text = ""
        except FileNotFoundError:
            continue
        yield Source(PurePosixPath(path.relative_to(ROOT).as_posix()), text)
