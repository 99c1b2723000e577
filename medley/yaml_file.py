"""Reads a YAML file and remembers on which line each field stands, so that errors can point there."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import yaml

from medley.catalogue import STANDARD_INPUT
from medley.errors import BadUsage, FieldError

LARGEST_FILE_BYTES = 1024 * 1024
MOST_PARTS = 20_000
"""YAML events of one file; a job has a few hundred."""
MOST_ALIASES = 20
DEEPEST = 20

_NULL, _BOOL, _INT, _FLOAT, _TEXT = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str"))
_LONGEST_NUMBER = 40
_ITEM = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file describes, for messages about it."""

    noun: str
    fields: Mapping[str, tuple[str, ...]]
    """The fields that are known, by the JSON pointer of what they are in; the outermost is at ``, `*` is any item."""
    example: str
    """One field as it is written."""
    next_step: str
    """Where its fields are explained."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file as written: its fields, and the line of each by JSON pointer."""

    source: str
    """How to name the file in messages."""
    kind: FileKind
    fields: dict[str, Any]
    lines: Mapping[str, int]

    def describe(self, error: FieldError) -> str:
        """Return an error as `file:line: field: what is wrong`."""
        place = f"{self.source}:{self.line(error)}"
        name = error.pointer.strip("/").replace("/", ".")
        meant = self.meant(error)
        hint = f" - did you mean `{meant}`?" if meant else ""
        return f"{place}: {name}: {error.detail}{hint}" if name else f"{place}: {error.detail}{hint}"

    def line(self, error: FieldError) -> int:
        """Return the line of the field that an error is about, or of what should hold it."""
        pointer = error.pointer
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)

    def meant(self, error: FieldError) -> str | None:
        """Return the field that was meant by one that is not known; None where nothing is like it."""
        parents, _, name = error.pointer.rpartition("/")
        known = self.kind.fields.get(_ITEM.sub("/*", parents), ())
        if not known or name in known or error.pointer not in self.lines:
            return None
        return next(iter(get_close_matches(name, known, n=1)), None)


class _PlainScalars(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen when loaded
    """YAML 1.2's reading of plain words: `no` and `12:30` are text, `1e-3` is a number."""


_PlainScalars.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (_INT, r"[-+]?[0-9]+", list("-+0123456789")),
    (_FLOAT, r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _PlainScalars.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml_file(path: str, kind: FileKind) -> YamlFile:
    """Read a file, or standard input for STANDARD_INPUT. Raises BadUsage with file and line."""
    source = "standard input" if path == STANDARD_INPUT else path
    if path == STANDARD_INPUT and sys.stdin is None:
        raise BadUsage("standard input is closed, so there is nothing to read", next_step=kind.next_step)
    try:
        with sys.stdin.buffer if path == STANDARD_INPUT else Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise BadUsage(f"{source} cannot be read: {error.strerror}", next_step=kind.next_step) from error
    return parse_yaml(source, kind, content)


def parse_yaml(source: str, kind: FileKind, content: bytes) -> YamlFile:
    """Parse the bytes of a file. Raises BadUsage with file and line."""
    refuse = _Refusal(source, kind)
    if len(content) > LARGEST_FILE_BYTES:
        raise BadUsage(f"{source} is larger than 1 MiB, which no {kind.noun} is", next_step=kind.next_step)
    _check_encoding(refuse, content)
    try:
        _bound(refuse, content)
        document = yaml.compose(content, Loader=_PlainScalars)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        refuse.at(mark.line + 1 if mark else 1, _problem(error, content))
    except yaml.YAMLError as error:
        refuse.at(1, f"this is no YAML text: {error}".splitlines()[0])
    if not isinstance(document, yaml.MappingNode):
        refuse.at(1, f"a {kind.noun} is a list of `field: value`, such as `{kind.example}`")
    reader = _Reader(refuse)
    return YamlFile(source, kind, reader.mapping(document, ""), reader.lines)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Refuses a file with the line that is at fault."""

    source: str
    kind: FileKind

    def at(self, line: int, detail: str) -> NoReturn:
        raise BadUsage(f"{self.source}:{line}: {detail}", next_step=self.kind.next_step)


def _check_encoding(refuse: _Refusal, content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        refuse.at(line, "the file is not UTF-8: save it as that, or write the letter that is at fault another way")


def _problem(error: yaml.MarkedYAMLError, content: bytes) -> str:
    """Return what is wrong; a tab, which an editor does not show, is called by its name."""
    mark = error.problem_mark
    lines = content.decode("utf-8", errors="replace").splitlines()
    if mark and mark.line < len(lines):
        line = lines[mark.line]
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent or line[mark.column : mark.column + 1] == "\t":
            return "a tab is not allowed here: indent with spaces"
    return str(error.problem or "this is no YAML")


def _bound(refuse: _Refusal, content: bytes) -> None:
    aliases = depth = 0
    for parts, event in enumerate(yaml.parse(content, Loader=_PlainScalars)):
        aliases += isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if parts > MOST_PARTS or aliases > MOST_ALIASES or depth > DEEPEST:
            limits = f"{MOST_PARTS} parts, {MOST_ALIASES} aliases, {DEEPEST} levels"
            refuse.at(_line(event), f"a {refuse.kind.noun} file has at most {limits}")


class _Reader:
    """Turns YAML nodes into JSON values and notes where they stand."""

    def __init__(self, refuse: _Refusal) -> None:
        self._refuse = refuse
        self._read = 0
        self.lines: dict[str, int] = {}

    def mapping(self, node: yaml.MappingNode, pointer: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
                self._refuse.at(line, "a field's name must be plain text, and nothing can be merged in by `<<`")
            key = str(key_node.value)
            if key in found:
                self._refuse.at(line, f"`{key}` is given twice")
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            self.lines[place] = line
            found[key] = self._value(value_node, place)
        return found

    def _value(self, node: yaml.Node, pointer: str) -> Any:
        self._read += 1
        line = _line(node)
        if self._read > MOST_PARTS or pointer.count("/") > DEEPEST:
            self._refuse.at(line, f"aliases make this file far larger than any {self._refuse.kind.noun}")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, pointer)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(child, f"{pointer}/{index}") for index, child in enumerate(node.value)]
        return self._scalar(node, line)

    def _item(self, node: yaml.Node, pointer: str) -> Any:
        self.lines[pointer] = _line(node)
        return self._value(node, pointer)

    def _scalar(self, node: yaml.Node, line: int) -> Any:
        text = str(node.value)
        if node.tag in (_INT, _FLOAT) and len(text) > _LONGEST_NUMBER:
            self._refuse.at(line, f"this number has more than {_LONGEST_NUMBER} digits")
        try:
            return _SCALARS[node.tag](text)
        except (KeyError, ValueError):
            self._refuse.at(line, f"`{node.tag}` is no kind of value that a {self._refuse.kind.noun} has")


_SCALARS: dict[str, Callable[[str], Any]] = {
    _NULL: lambda _text: None,
    _BOOL: lambda text: text.lower() == "true",
    _INT: int,
    _FLOAT: float,
    _TEXT: str,
}


def _line(part: yaml.Event | yaml.Node) -> int:
    mark = part.start_mark
    return mark.line + 1 if mark else 1
