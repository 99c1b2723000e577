"""What no file of the project says, and the language that the runtime is written in."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.tidy.source import Source

OPEN_END = re.compile(r"\b(?:TO(?:DO)|FIX(?:ME)|XX(?:X)|HA(?:CK))\b")
RUNTIME_PYTHON = (3, 9)
PLACE = re.compile(r"(?<![\w.])/(?:work|root)/\w|\b(?:pypi[.]org|pythonhosted[.]org)\b")
HOME = re.compile(r"(?<![\w.])/(?:home|Users)/\w")


def nothing_is_left_open(source: Source) -> Iterator[str]:
    """No mark says that something is to be done later."""
    for number, line in _lines(source):
        if OPEN_END.search(line):
            yield f"{source.path}:{number}: leaves something open; do it now or open an issue"


def no_machine_is_named(source: Source) -> Iterator[str]:
    """No path or host of somebody's machine is in the project; tests may make up a home."""
    for number, line in _lines(source):
        found = PLACE.search(line) or (None if source.is_in("tests") else HOME.search(line))
        if found:
            yield f"{source.path}:{number}: names a place of one machine ({found[0]}...); make it a setting or relative"


def runtime_is_old_python(source: Source) -> Iterator[str]:
    """What runs beside tenants' code is written in the language of Python 3.9; ruff looks at the annotations."""
    if not (source.is_in("runtime") and source.is_python):
        return
    try:
        ast.parse(source.text, feature_version=RUNTIME_PYTHON)
    except SyntaxError as error:
        yield f"{source.path}:{error.lineno}: not Python 3.9 ({error.msg}); say it in older words"


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    return enumerate(source.text.splitlines(), start=1)
