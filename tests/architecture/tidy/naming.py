"""What files and folders are called, and what may stand in an `__init__.py`."""

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.tidy.source import Source, nodes, tree

BANNED = frozenset({"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "base"})
"""Names that answer the question "where" with "anywhere"."""

KUSTOMIZE = ("deploy", "base")
"""The one exception: whoever knows kustomize looks for a base and its overlays."""

TOP_LEVEL = frozenset(
    {"scheduler", "api", "medley", "runtime", "migrations", "deploy", "tests", "bench", "examples", "docs", ".ci"}
    | {"requirements"}
)


def name_says_something(source: Source) -> Iterator[str]:
    """No file or folder has a name that says nothing."""
    parts = (*source.path.parts[:-1], source.path.stem)
    if parts[: len(KUSTOMIZE)] == KUSTOMIZE:
        parts = parts[len(KUSTOMIZE) :]
    for part in parts:
        if part.lower() in BANNED:
            yield f"{source.path}: '{part}' says nothing; name the subject"


def init_holds_no_logic(source: Source) -> Iterator[str]:
    """An `__init__.py` holds a docstring, imports and `__all__`, nothing else."""
    if source.path.name != "__init__.py":
        return
    for number, node in enumerate(tree(source).body):
        is_docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (is_docstring or isinstance(node, ast.Import | ast.ImportFrom) or _names_exports(node)):
            yield f"{source.path}:{node.lineno}: holds logic; move it to a file with a name"


def imports_are_absolute(source: Source) -> Iterator[str]:
    """No import climbs out of its package with dots."""
    for node in nodes(source):
        if isinstance(node, ast.ImportFrom) and node.level > 1:
            yield f"{source.path}:{node.lineno}: import from the parent by dots; write the whole name"


def folders_are_known(sources: Iterable[Source]) -> Iterator[str]:
    """At the root lie only the folders that the architecture names."""
    seen = {source.path.parts[0] for source in sources if len(source.path.parts) > 1}
    for folder in sorted(seen - TOP_LEVEL):
        yield f"{folder}/: no such top-level folder in the architecture; find its room, or record the decision"


def _names_exports(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]
