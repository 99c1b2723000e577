"""The core decides from its arguments alone; and no time in the project is without its zone."""

import ast
import sys
from collections.abc import Iterable, Iterator

from tests.architecture.tidy.source import Source, dotted, nodes

CORE = ("scheduler", "core")

PURE = (
    "__future__ abc bisect collections contextlib copy dataclasses datetime enum fractions functools hashlib heapq"
    " itertools json math operator re string types typing"
)
"""Modules of the standard library that neither read nor change the world; add one only if that is true of it."""

IMPURE = frozenset(sys.stdlib_module_names) - frozenset(PURE.split())

PURE_PARTS = {"sys": frozenset({"intern"})}
"""What other modules have that is pure: one string for equal ones."""

OUTSIDE_CALLS = frozenset({"open", "print", "input", "breakpoint", "exec", "eval", "id", "hash"})
"""Built-in functions that read or change it, or whose answer differs between two runs."""

NAIVE = frozenset({"utcnow", "utcfromtimestamp", "today"})


def core_imports_nothing_of_the_world(source: Source) -> Iterator[str]:
    """No file of the core imports IO, clock, random, environment or log."""
    if not source.is_in(*CORE):
        return
    for node in nodes(source):
        for name in _imported(node):
            if name.partition(".")[0] in IMPURE:
                yield f"{source.path}:{_line(node)}: the core imports {name}; take its answer as an argument"


def core_calls_nothing_of_the_world(source: Source) -> Iterator[str]:
    """No file of the core opens, prints, or asks for the time."""
    if not source.is_in(*CORE):
        return
    for node in nodes(source):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in OUTSIDE_CALLS or name.endswith(("datetime.now", "date.today")):
                yield f"{source.path}:{node.lineno}: the core calls {name}(); take its answer as an argument"


def core_never_walks_a_set(source: Source) -> Iterator[str]:
    """No loop or list of the core runs over a set as it is written down: its order differs between runs."""
    if not source.is_in(*CORE):
        return
    for node in nodes(source):
        walked: list[ast.expr] = []
        if isinstance(node, ast.For):
            walked = [node.iter]
        elif isinstance(node, ast.ListComp | ast.DictComp):
            walked = [part.iter for part in node.generators]
        for expression in walked:
            if _is_set(expression):
                yield f"{source.path}:{expression.lineno}: walks a set; sort it by a key that ends in an id"


def times_have_a_zone(source: Source) -> Iterator[str]:
    """Every time is made with its zone."""
    for node in nodes(source):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, attribute = dotted(node.func), node.func.attr
        if "date" not in name.rpartition(".")[0]:
            continue
        zone = [*node.args, *(word.value for word in node.keywords if word.arg in ("tz", "tzinfo"))]
        needed = {"now": 1, "fromtimestamp": 2}.get(attribute, 0)
        if attribute in NAIVE or len(zone) < needed:
            yield f"{source.path}:{node.lineno}: {name}() has no zone; give it datetime.UTC"


def _imported(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module is not None:
        is_pure = {alias.name for alias in node.names} <= PURE_PARTS.get(node.module, frozenset())
        return [] if is_pure else [node.module]
    return []


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    return isinstance(node, ast.Call) and dotted(node.func) in ("set", "frozenset")


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))
