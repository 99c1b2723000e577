"""Logins to several servers, kept beside each other."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from medley.main import run
from tests.builders.command import TOKEN, Reply, ScriptedServer, a_scripted_server

OTHER_TOKEN = "mdl_" + "b" * 38


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ScriptedServer, ScriptedServer]]:
    """Two servers; nobody is logged in."""
    monkeypatch.setenv("MEDLEY_CONFIG", str(tmp_path / "login.json"))
    for name in ("MEDLEY_ADDRESS", "MEDLEY_TOKEN", "MEDLEY_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    with a_scripted_server() as one, a_scripted_server() as two:
        for server, who in ((one, "ada"), (two, "bob")):
            whoami = {"name": who, "role": "submitter", "tenant": "demo", "token_id": "t1"}
            server.on("GET /v1/whoami", Reply(body=whoami))
        yield one, two


def log_in(server: ScriptedServer, context: str | None, token: str = TOKEN) -> None:
    named = [] if context is None else ["--context", context]
    assert run(["login", server.address, "--token", token, *named]) == 0


def who(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(["whoami", "-o", "name"]) == 0
    return capsys.readouterr().out.strip()


def test_a_login_under_a_name_is_used_from_then_on_and_the_other_stays(
    servers: tuple[ScriptedServer, ScriptedServer], capsys: pytest.CaptureFixture[str]
) -> None:
    log_in(servers[0], None)
    log_in(servers[1], "second", OTHER_TOKEN)
    assert who(capsys) == "bob"
    assert run(["context", "use", "default"]) == 0
    assert who(capsys) == "ada"
    assert servers[0].requests[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert {request.headers["Authorization"] for request in servers[1].requests} == {f"Bearer {OTHER_TOKEN}"}


def test_one_command_may_use_another_context(
    servers: tuple[ScriptedServer, ScriptedServer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_in(servers[0], None)
    log_in(servers[1], "second")
    monkeypatch.setenv("MEDLEY_CONTEXT", "default")
    assert who(capsys) == "ada"
    monkeypatch.setenv("MEDLEY_CONTEXT", "secnd")
    assert run(["whoami"]) == 3
    assert "there is no context `secnd`; did you mean `second`?" in capsys.readouterr().err
    monkeypatch.delenv("MEDLEY_CONTEXT")
    assert who(capsys) == "bob"


def test_contexts_are_listed_without_what_opens_them(
    servers: tuple[ScriptedServer, ScriptedServer], capsys: pytest.CaptureFixture[str]
) -> None:
    log_in(servers[0], "lab")
    log_in(servers[1], "home", OTHER_TOKEN)
    capsys.readouterr()
    assert run(["context"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[:3] for line in shown.splitlines()[1:]] == [
        ["home", "in", "use"],
        ["lab", "-", servers[0].address],
    ]
    assert run(["context", "ls", "-o", "json"]) == 0
    listed = capsys.readouterr().out
    assert [(row["name"], row["is_in_use"]) for row in json.loads(listed)["items"]] == [("home", True), ("lab", False)]
    assert TOKEN not in shown + listed
    assert OTHER_TOKEN not in shown + listed


def test_what_is_forgotten_is_gone_and_the_others_stay(
    servers: tuple[ScriptedServer, ScriptedServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_in(servers[0], None)
    log_in(servers[1], "second")
    assert run(["logout"]) == 0
    capsys.readouterr()
    assert run(["whoami"]) == 4
    assert "no context is in use" in capsys.readouterr().err
    assert run(["context", "use", "default"]) == 0
    assert who(capsys) == "ada"
    assert run(["context", "rm", "nope"]) == 3
    assert run(["context", "rm", "default"]) == 0
    assert not (tmp_path / "login.json").exists()
    assert run(["context"]) == 0


def test_a_context_needs_a_name_that_can_be_one(servers: tuple[ScriptedServer, ScriptedServer], tmp_path: Path) -> None:
    for name in ("two words", "-", "../x", "x" * 64, "a\x1b[31m"):
        assert run(["login", servers[0].address, "--token", TOKEN, f"--context={name}"]) == 2
    assert not (tmp_path / "login.json").exists()


@pytest.mark.parametrize(
    ("typed", "want"),
    [
        ("medley su", "submit"),
        ("medley ls --sta", "--state"),
        ("medley ls -o ", "table wide json yaml name"),
        ("medley context ", "ls use rm"),
        ("medley submit exam", ""),
    ],
)
def test_bash_completes_commands_options_and_values(
    typed: str, want: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["completion", "bash"]) == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    words = typed.split(" ")
    ask = f'. {script}; COMP_WORDS=("$@"); COMP_CWORD={len(words) - 1}; _medley; echo "${{COMPREPLY[@]}}"'
    said = subprocess.run(["bash", "-c", ask, "bash", *words], capture_output=True, check=True, text=True, timeout=30)
    assert said.stdout.strip() == want
    assert "complete -o bashdefault -o default -F _medley medley" in script.read_text()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_script_of_their_own(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    shown = capsys.readouterr()
    assert "operator-token" in shown.out
    assert shown.err.startswith("next: medley completion")
