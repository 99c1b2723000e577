"""Reads a job file and remembers on which line each field stands, so that errors can point there."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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

JOB_FIELDS = (
    "name", "kind", "workers", "chips", "devices_per_worker", "cpu_milli", "memory_mib", "command", "training",
    "environment", "retries", "time_limit_s", "grace_s", "priority", "labels",
)  # fmt: skip
TRAINING_FIELDS = ("steps", "batch", "sequence", "width", "layers", "heads", "learning_rate", "seed")

_NULL, _BOOL, _INT, _FLOAT, _TEXT = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str"))
_LONGEST_NUMBER = 40


@dataclass(frozen=True, slots=True)
class JobFile:
    """A job as written: its fields, and the line of each by JSON pointer."""

    source: str
    """How to name the file in messages."""
    job: dict[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)

    def describe(self, error: FieldError) -> str:
        """Return an error as `file:line: field: what is wrong`."""
        place = f"{self.source}:{self.line(error)}"
        name = error.pointer.strip("/").replace("/", ".")
        hint = self._hint(error.pointer)
        return f"{place}: {name}: {error.detail}{hint}" if name else f"{place}: {error.detail}{hint}"

    def line(self, error: FieldError) -> int:
        """Return the line of the field that an error is about, or of what should hold it."""
        pointer = error.pointer
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)

    def _hint(self, pointer: str) -> str:
        parents, _, name = pointer.rpartition("/")
        known = {"": JOB_FIELDS, "/training": TRAINING_FIELDS}.get(parents, ())
        if not known or name in known or pointer not in self.lines:
            return ""
        close = get_close_matches(name, known, n=1)
        return f" - did you mean `{close[0]}`?" if close else ""


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


def read_job_file(path: str) -> JobFile:
    """Read a file, or standard input for STANDARD_INPUT. Raises BadUsage with file and line."""
    source = "standard input" if path == STANDARD_INPUT else path
    try:
        with sys.stdin.buffer if path == STANDARD_INPUT else Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise BadUsage(f"{source} cannot be read: {error.strerror}", next_step=_NEXT) from error
    return parse_job(source, content)


def parse_job(source: str, content: bytes) -> JobFile:
    """Parse the bytes of a job file. Raises BadUsage with file and line."""
    if len(content) > LARGEST_FILE_BYTES:
        raise BadUsage(f"{source} is larger than 1 MiB, which no job is", next_step=_NEXT)
    try:
        _bound(source, content)
        document = yaml.compose(content, Loader=_PlainScalars)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(source, mark.line + 1 if mark else 1, error.problem or "this is no YAML")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        _refuse(source, 1, f"this is no YAML text: {error}".splitlines()[0])
    if not isinstance(document, yaml.MappingNode):
        _refuse(source, 1, "a job is a list of `field: value`, such as `name: first`")
    reader = _Reader(source)
    return JobFile(source, reader.mapping(document, ""), reader.lines)


def _bound(source: str, content: bytes) -> None:
    aliases = depth = 0
    for parts, event in enumerate(yaml.parse(content, Loader=_PlainScalars)):
        aliases += isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if parts > MOST_PARTS or aliases > MOST_ALIASES or depth > DEEPEST:
            limits = f"{MOST_PARTS} parts, {MOST_ALIASES} aliases, {DEEPEST} levels"
            _refuse(source, _line(event), f"a job file has at most {limits}")


class _Reader:
    """Turns YAML nodes into JSON values and notes where they stand."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._read = 0
        self.lines: dict[str, int] = {}

    def mapping(self, node: yaml.MappingNode, pointer: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
                _refuse(self._source, line, "a field's name must be plain text, and nothing can be merged in by `<<`")
            key = str(key_node.value)
            if key in found:
                _refuse(self._source, line, f"`{key}` is given twice")
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            self.lines[place] = line
            found[key] = self._value(value_node, place)
        return found

    def _value(self, node: yaml.Node, pointer: str) -> Any:
        self._read += 1
        line = _line(node)
        if self._read > MOST_PARTS or pointer.count("/") > DEEPEST:
            _refuse(self._source, line, "aliases make this file far larger than any job")
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
            _refuse(self._source, line, f"this number has more than {_LONGEST_NUMBER} digits")
        try:
            return _SCALARS[node.tag](text)
        except (KeyError, ValueError):
            _refuse(self._source, line, f"`{node.tag}` is no kind of value that a job has")


_SCALARS: dict[str, Callable[[str], Any]] = {
    _NULL: lambda _text: None,
    _BOOL: lambda text: text.lower() == "true",
    _INT: int,
    _FLOAT: float,
    _TEXT: str,
}
_NEXT = "see examples/jobs, or docs/commands.md for the fields of a job"


def _line(part: yaml.Event | yaml.Node) -> int:
    mark = part.start_mark
    return mark.line + 1 if mark else 1


def _refuse(source: str, line: int, detail: str) -> NoReturn:
    raise BadUsage(f"{source}:{line}: {detail}", next_step=_NEXT)
