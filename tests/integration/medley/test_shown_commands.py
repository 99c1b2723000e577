"""Every `medley` command that a page shows is there, with its options: in blocks, in sentences, and in examples."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from medley.main import build_app
from tests.builders.server import ROOT

WHERE = ("*.md", "docs/*.md", "runtime/*.md", "examples/**/*.yaml")
PAGES = sorted(page for pattern in WHERE for page in ROOT.glob(pattern))
FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
CALL = re.compile(r"(?:^|[|&;(])\s*(?:[A-Z_]+=\S+ +)*medley +([^\n|&;)<>]+)", re.MULTILINE)
SAID = re.compile(r"\bmedley ([a-z][a-z-]*)")
SOURCES = ("api/**/*.py", "medley/**/*.py", "scheduler/**/*.py")
EVERYWHERE = {"--help", "-h"}
SAME = "| The same |"


def shown(text: str) -> Iterator[str]:
    """Yield the commands of a page: what follows `medley` up to where the shell has something else."""
    code = [block.replace("\\\n", " ") for block in FENCED.findall(text)]
    code += [span.replace("\n", " ") for span in CODE.findall(FENCED.sub("", text))]
    for part in code:
        yield from CALL.findall(part)


def found_in(app: App, words: list[str]) -> tuple[App, list[str]]:
    """Return the command that words name, and the words after its name."""
    while words and words[0][0] != "-" and words[0] in app.resolved_commands():
        app, words = app[words[0]], words[1:]
    return app, words


def options_of(command: App) -> set[str]:
    return {name for argument in command.assemble_argument_collection() for name in argument.names if name[0] == "-"}


def complaints(text: str) -> list[str]:
    """Return what is wrong with the commands of a page."""
    root = build_app()
    wrong = []
    for line in shown(text):
        words = shlex.split(line, comments=True)
        command, rest = found_in(root, words)
        given = {word.partition("=")[0] for word in rest if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)}
        if command is root and words and words[0].islower():
            wrong.append(f"there is no `medley {line.strip()}`")
        elif command is not root and (unknown := sorted(given - options_of(command) - EVERYWHERE)):
            wrong.append(f"`medley {line.strip()}` has no {', '.join(unknown)}")
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_is_there_with_its_options(page: Path) -> None:
    assert complaints(page.read_text("utf-8")) == []


def test_every_command_that_the_code_speaks_of_is_there() -> None:
    known = set(build_app().resolved_commands())
    sources = [source for pattern in SOURCES for source in sorted(ROOT.glob(pattern))]
    wrong = [
        f"{source.relative_to(ROOT)}: medley {name}"
        for source in sources
        for name in SAID.findall(source.read_text("utf-8"))
        if name not in known
    ]
    assert sources
    assert wrong == []


def test_what_is_not_there_is_found_wherever_it_stands() -> None:
    text = "Try `medley sumbit FILE`, or\n```sh\ncat x | medley tokens create a --rol viewer\nA=b medley ls --al\n```\n"
    assert complaints(text) == [
        "`medley tokens create a --rol viewer` has no --rol",
        "`medley ls --al` has no --al",
        "there is no `medley sumbit FILE`",
    ]


def test_what_is_no_command_is_left_alone() -> None:
    text = "`medley.client`, the `medley` command, `medley COMMAND --help`, `kubectl -n medley get pods --watch`\n"
    assert complaints(text) == []


def test_the_list_of_commands_names_every_option() -> None:
    rows = re.findall(r"^\| `medley ([^`]*)` (\|.*)$", (ROOT / "docs" / "commands.md").read_text("utf-8"), re.MULTILINE)
    root, missing = build_app(), []
    for called, text in rows:
        command, _ = found_in(root, called.split())
        for argument in command.assemble_argument_collection():
            names = [name for name in argument.names if name.startswith("--")]
            is_said = any(re.search(rf"{re.escape(name)}(?![\w-])", f"{called} {text}") for name in argument.names)
            if names and not is_said and "--output" not in names and text != SAME:
                missing.append(f"medley {called}: {names[0]}")
    assert rows
    assert missing == []
