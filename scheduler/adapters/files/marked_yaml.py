"""YAML whose every value knows its line, so that an error can say where it is and what to do.

Only plain data is read: no tags, no aliases (a few hundred bytes of them can stand for gigabytes), no key twice.
"""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

LARGEST_FILE_BYTES = 1024 * 1024
DEEPEST = 20

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq"))
_NAMES = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}


class FileError(ValueError):
    """A file cannot be used. The message reads `FILE:LINE: what; what to do`."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A value with its place. Lists and mappings hold marked values."""

    value: "str | int | float | bool | list[Marked] | dict[str, Marked] | None"
    file: str
    line: int
    """From 1."""

    def error(self, what: str, *, what_to_do: str) -> FileError:
        """Return an error that names this place."""
        return FileError(f"{self.file}:{self.line}: {what}; {what_to_do}")

    def entries(self) -> "dict[str, Marked]":
        """Return the entries of a mapping. Raises FileError where it is none."""
        if not isinstance(self.value, dict):
            raise self._unexpected("a mapping of names to values")
        return self.value

    def items(self) -> "list[Marked]":
        """Return the items of a list. Raises FileError where it is none."""
        if not isinstance(self.value, list):
            raise self._unexpected("a list, one item per line after a dash")
        return self.value

    def fields(self, *, required: Collection[str], optional: Collection[str] = ()) -> "dict[str, Marked]":
        """Return the entries of a mapping with exactly these keys. Raises FileError."""
        entries = self.entries()
        known = [*required, *optional]
        for name, entry in entries.items():
            if name not in known:
                raise entry.error(f"unknown key {name!r}", what_to_do=suggest(name, known))
        for name in required:
            if name not in entries:
                raise self.error(f"{name!r} is missing", what_to_do="add it")
        return entries

    def text(self) -> str:
        """Return text that is not empty. Raises FileError."""
        if not isinstance(self.value, str):
            raise self._unexpected("text, in quotes if it looks like a number")
        if not self.value.strip() or "\0" in self.value:
            raise self.error("the text is empty", what_to_do="write something")
        return self.value

    def whole_number(self, *, least: int, most: int) -> int:
        """Return a whole number within bounds. Raises FileError."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self._unexpected(f"a whole number from {least:,} to {most:,}")
        if not least <= self.value <= most:
            raise self.error(f"{self.value:,} is out of range", what_to_do=f"write a number from {least:,} to {most:,}")
        return self.value

    def number(self, *, most: float, or_zero: bool = False) -> float:
        """Return a number above 0, or 0 where that is allowed, not above `most`. Raises FileError."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self._unexpected("a number")
        if not 0 < self.value <= most and not (or_zero and self.value == 0):
            wanted = f"from 0 to {most:g}" if or_zero else f"above 0, at most {most:g}"
            raise self.error(f"{self.value} is out of range", what_to_do=f"write a number {wanted}")
        return float(self.value)

    def _unexpected(self, wanted: str) -> FileError:
        found = _NAMES.get(type(self.value), f"the number {self.value}")
        return self.error(f"here stands {found}", what_to_do=f"write {wanted}")


def suggest(name: str, known: Collection[str]) -> str:
    """Return what to do about a name that is not among the known: the one that was probably meant, or all of them."""
    close = difflib.get_close_matches(name, list(known), n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"write one of: {', '.join(sorted(known))}"


def read_marked(path: Path) -> Marked:
    """Read a YAML file. Raises FileError, also where the file cannot be opened."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise FileError(f"{path}:1: cannot be read: {error.strerror}; check the path and its permissions") from error
    if len(content) > LARGEST_FILE_BYTES:
        raise FileError(f"{path}:1: the file is larger than {LARGEST_FILE_BYTES:,} bytes; split it")
    try:
        text = content.decode()
        _refuse_traps(path, text)
        node = yaml.compose(text, Loader=_Loader)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(f"{path}:{line}: this is not UTF-8; save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise FileError(f"{path}:{line}: {error.problem or error.context}; correct the YAML here") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FileError(f"{path}:{line}: a character that YAML forbids; remove it") from error
    if node is None:
        raise FileError(f"{path}:1: the file is empty; see examples/ for what belongs here")
    return _marked(str(path), node)


def _refuse_traps(path: Path, text: str) -> None:
    """Refuse aliases and depth before anything is built of them."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise FileError(f"{path}:{line}: the alias *{event.anchor} is not read; write the value out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise FileError(f"{path}:{line}: nested more than {DEEPEST} deep; flatten it")


def _marked(file: str, node: yaml.Node) -> Marked:
    line = node.start_mark.line + 1
    if node.tag not in _PLAIN_TAGS:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        raise FileError(f"{file}:{line}: {kind!r} is not read here; write plain text in quotes, a number or a list")
    if isinstance(node, yaml.MappingNode):
        return Marked(dict(_entries(file, node)), file, line)
    if isinstance(node, yaml.SequenceNode):
        return Marked([_marked(file, item) for item in node.value], file, line)
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node)
    except ValueError as error:
        raise FileError(f"{file}:{line}: {node.value!r} is not a value; write it in quotes") from error
    return Marked(value, file, line)


def _entries(file: str, node: yaml.MappingNode) -> Iterator[tuple[str, Marked]]:
    """Yield the entries of a mapping; a value takes its key's line, which is where people look."""
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = _marked(file, key_node)
        if not isinstance(key.value, str):
            raise key.error("a name has to be text", what_to_do="put it in quotes")
        if key.value in seen:
            raise key.error(f"{key.value!r} stands here twice, first in line {seen[key.value]}", what_to_do="keep one")
        seen[key.value] = key.line
        yield key.value, Marked(_marked(file, value_node).value, file, key.line)
