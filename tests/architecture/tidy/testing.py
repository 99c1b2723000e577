"""What tests may not do, and what must have one."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tests.architecture.tidy.source import Source, dotted, nodes

WAITING = PurePosixPath("tests/builders/eventually.py")
"""The only place of the tests that may sleep."""

SLEEPERS = frozenset({"time", "asyncio", "anyio", "trio"})
SKIPS = frozenset({"skip", "skipif", "skipIf", "skipUnless", "xfail", "importorskip", "SkipTest"})
SKIPPERS = frozenset({"pytest", "pytest.mark", "mark", "unittest"})


def tests_never_sleep(source: Source) -> Iterator[str]:
    """No test sleeps and hopes."""
    if not source.is_in("tests") or source.path == WAITING:
        return
    for node in nodes(source):
        sleeps = False
        if isinstance(node, ast.Attribute):
            sleeps = node.attr == "sleep" and dotted(node.value) in SLEEPERS
        elif isinstance(node, ast.ImportFrom):
            sleeps = node.module in SLEEPERS and any(alias.name == "sleep" for alias in node.names)
        if sleeps:
            line = int(getattr(node, "lineno", 0))
            yield f"{source.path}:{line}: sleeps; wait with tests.builders.eventually.eventually(..., within_s=...)"


def tests_are_never_skipped(source: Source) -> Iterator[str]:
    """No test is skipped or expected to fail."""
    if not source.is_in("tests"):
        return
    for node in nodes(source):
        if isinstance(node, ast.Attribute) and node.attr in SKIPS and dotted(node.value) in SKIPPERS:
            place = f"{source.path}:{node.lineno}"
            yield f"{place}: {dotted(node)}: provide what the test needs, or remove the test"


def core_files_have_tests(sources: Iterable[Source]) -> Iterator[str]:
    """Every file of the core that does something has a unit test of its own; pure declarations need none."""
    sources = list(sources)
    paths = {source.path for source in sources}
    for source in sources:
        if not source.is_in("scheduler", "core") or source.path.name == "__init__.py":
            continue
        room = PurePosixPath(*source.path.parent.parts[2:])
        wanted = PurePosixPath("tests/unit/core") / room / f"test_{source.path.name}"
        if wanted not in paths and _does_something(source):
            yield f"{source.path}: has no unit test; write {wanted}"


def _does_something(source: Source) -> bool:
    return any(isinstance(node, ast.FunctionDef) for node in nodes(source))
