"""What is supposed, before any server is asked."""

import pytest

from medley.main import run


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--weight demo=3 --runs-on", "--runs-on is of drained nodes"),
        ("--drain n1 --tenant demo", "--tenant is whose the job would be"),
        ("--add 8", "--add needs --like"),
        ("--drain n1 --count 2", "--count needs --drain-like or --drain-where"),
        ("--limit 8", "figures of a quota need --quota"),
    ],
)
def test_options_without_effect_are_refused(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["whatif", *line.split()]) == 2
    assert said in capsys.readouterr().err
