from collections.abc import Mapping

import pytest

import scheduler.main
from medley.exit_codes import ExitCode
from medley.main import run


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("serve", ("serve", {})),
        ("serve --data there --listen 127.0.0.1:0", ("serve", {"data_folder": "there", "listen": "127.0.0.1:0"})),
        (
            "serve --data-folder a --inventory b --database c --chips d --scoring e",
            ("serve", {"data_folder": "a", "inventory": "b", "database": "c", "chips": "d", "scoring": "e"}),
        ),
        ("operator-token --data-folder there", ("new_operator_token", {"data_folder": "there"})),
        ("migrate --database sqlite:///x", ("migrate", {"database": "sqlite:///x"})),
    ],
)
def test_options_reach_the_process_and_its_exit_code_comes_back(
    line: str, want: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, Mapping[str, str]]] = []

    def process(name: str, overrides: Mapping[str, str]) -> int:
        called.append((name, overrides))
        return ExitCode.CONFLICT

    for name in ("serve", "migrate", "new_operator_token"):
        monkeypatch.setattr(scheduler.main, name, lambda overrides, name=name: process(name, overrides))
    assert run(line.split()) == ExitCode.CONFLICT
    assert called == [want]
