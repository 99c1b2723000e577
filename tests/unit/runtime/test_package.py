import ast
import sys
from pathlib import Path

import medley_runtime
import pytest

SOURCES = sorted(Path(str(medley_runtime.__file__)).parent.rglob("*.py"))
OLDEST_PYTHON = (3, 9)
ALLOWED = {*sys.stdlib_module_names, "torch", "medley_runtime"}


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_runtime_needs_nothing_but_an_old_python_and_torch(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=OLDEST_PYTHON)

    assert imported(tree) <= ALLOWED
    assert "slots=True" not in path.read_text(), "slots of dataclasses came with Python 3.10"
