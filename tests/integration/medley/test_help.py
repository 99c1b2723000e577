"""`medley --help`: complete, and there at once."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from medley.__main__ import start
from medley.catalogue import SECTIONS
from medley.exit_codes import MEANINGS
from tests.builders.command import run_medley
from tests.builders.pace import quiet_s

CHECKOUT = Path(__file__).parents[3]
NAMES = [command.name for _, commands in SECTIONS for command in commands]
HEAVY = (
    "cyclopts",
    "httpx2",
    "rich",
    "yaml",
    "scheduler",
    "api",
    "fastapi",
    "sqlalchemy",
    "asyncio",
    "medley.commands",
)


def test_help_names_every_command_and_every_exit_code(tmp_path: Path) -> None:
    for arguments in (["--help"], ["-h"], ["help"], []):
        shown = run_medley(*arguments, environment={"HOME": str(tmp_path)})
        assert (shown.returncode, shown.stderr) == (0, "")
        assert re.findall(r"^  ([a-z-]+) ", shown.stdout, flags=re.MULTILINE) == NAMES
        assert re.findall(r"^  (\d+) ", shown.stdout, flags=re.MULTILINE) == [str(int(code)) for code in MEANINGS]


def test_help_loads_nothing_heavy() -> None:
    script = "import sys; from medley.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, check=True, encoding="utf-8", timeout=60
    )
    assert not set(shown.stderr.split()) & set(HEAVY)


def test_help_is_there_in_three_tenths_of_a_second(tmp_path: Path) -> None:
    assert quiet_s(lambda: run_medley("--help", environment={"HOME": str(tmp_path)}), runs=5) < 0.3


@pytest.mark.parametrize("name", [*NAMES, "tokens create", "quota set", "chips define"])
def test_every_command_loads_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from medley.main import run  # noqa: PLC0415 - HEAVY is about what loading it loads

    assert run([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: medley {name}" in shown
    assert "Parameters:" not in shown
    assert "[default: False]" not in shown


def _documented() -> str:
    return (CHECKOUT / "docs" / "commands.md").read_text()


def test_the_documentation_names_every_command_that_exists_and_no_other() -> None:
    from cyclopts import App  # noqa: PLC0415

    from medley.main import build_app  # noqa: PLC0415

    def paths(app: App, above: tuple[str, ...]) -> list[str]:
        found = []
        for name, sub in app.resolved_commands().items():
            if not name.startswith("-"):
                found += [" ".join((*above, name)), *paths(sub, (*above, name))]
        return found

    rows = re.findall(r"^\| `medley ([a-z -]*[a-z])(?= -| [A-Z[]|`)", _documented(), flags=re.MULTILINE)
    assert sorted(rows) == sorted(paths(build_app(), ()))


def test_the_documentation_gives_every_exit_code_its_meaning() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", _documented(), flags=re.MULTILINE)
    assert [(int(code), text.replace("`", "")) for code, text in rows] == [
        (int(code), meaning) for code, meaning in MEANINGS.items()
    ]


def test_no_example_has_a_token_among_its_arguments() -> None:
    assert set(re.findall(r"--token (\S+)", _documented())) <= {"-", "-`"}


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "medley", "--help"],
        cwd=CHECKOUT,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("redirect", ["> /dev/full", ">&-", ">&- 2>&-"])
def test_output_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path, redirect: str) -> None:
    ended = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m medley --help {redirect}"],
        cwd=CHECKOUT,
        check=False,
        encoding="utf-8",
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        timeout=60,
    )
    assert ended.returncode == 7
    assert "Traceback" not in ended.stderr
    if "2>&-" not in redirect:
        assert ended.stderr.startswith("medley: the output cannot be written: ")
        assert len(ended.stderr.splitlines()) == 2


INTERRUPTED_WHILE_LOADING = """
import os, runpy, signal, sys

class CtrlC:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC)
sys.argv = ["medley", "ls"]
runpy.run_module("medley", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["medley.main", "medley.catalogue", "cyclopts", "medley.commands.jobs"])
def test_ctrl_c_while_python_still_loads_the_command_ends_it_without_a_traceback(tmp_path: Path, module: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHILE_LOADING.format(module=module)],
        cwd=CHECKOUT,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (130, b"")
    assert ended.stderr in (b"", b"interrupted\n")


def test_the_installed_command_begins_as_the_module_does() -> None:
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["scripts"] == {"medley": f"{start.__module__}:{start.__name__}"}
