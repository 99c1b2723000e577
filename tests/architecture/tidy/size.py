"""How long a file or function, how wide a signature, how full a folder may be. These limits may only go down."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.architecture.tidy.source import Source, nodes

FILE_LINES = 400
TEST_FILE_LINES = 500
FUNCTION_LINES = 60
POSITIONAL_ARGUMENTS = 5
ARGUMENTS = 8
FOLDER_FILES = 12

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def file_is_short(source: Source) -> Iterator[str]:
    """A file has at most 400 lines, a test file 500."""
    limit = TEST_FILE_LINES if source.is_in("tests") else FILE_LINES
    lines = source.text.count("\n")
    if source.is_python and lines > limit:
        yield f"{source.path}: {lines} lines, at most {limit}; split it by subject"


def function_is_short(source: Source) -> Iterator[str]:
    """A function has at most 60 lines, its decorators not counted."""
    for node in nodes(source):
        if isinstance(node, FUNCTIONS):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                place = f"{source.path}:{node.lineno}"
                yield f"{place}: {node.name} has {lines} lines, at most {FUNCTION_LINES}; name its parts as functions"


def function_takes_few_arguments(source: Source) -> Iterator[str]:
    """A function takes at most 5 arguments by position and 8 in all; self and cls do not count.

    A builder of tests may take more by name: its defaults are what it is for.
    """
    for node in nodes(source):
        if isinstance(node, FUNCTIONS):
            positional = [one.arg for one in node.args.posonlyargs + node.args.args]
            if positional[:1] in (["self"], ["cls"]):
                positional = positional[1:]
            named = [] if source.is_in("tests", "builders") else node.args.kwonlyargs
            total = len(positional) + len(named)
            if len(positional) > POSITIONAL_ARGUMENTS or total > ARGUMENTS:
                yield (
                    f"{source.path}:{node.lineno}: {node.name} takes {len(positional)} arguments by position and "
                    f"{total} in all, at most {POSITIONAL_ARGUMENTS} and {ARGUMENTS}; "
                    "make a dataclass of what belongs together"
                )


def folders_are_small(sources: Iterable[Source]) -> Iterator[str]:
    """A folder has at most 12 Python files besides `__init__.py`; tests and migrations, which are lists, have more."""
    counts = Counter(
        source.path.parent
        for source in sources
        if source.is_python
        and source.path.name != "__init__.py"
        and not source.is_in("tests")
        and not source.is_in("migrations")
    )
    for folder, count in sorted(counts.items()):
        if count > FOLDER_FILES:
            yield f"{folder}: {count} Python files, at most {FOLDER_FILES}; make a room of those that belong together"
