"""What is asked of queues, before any server is."""

import pytest

from medley.main import run


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("group --remove", "--remove takes the name of one group"),
        ("group fast h100-sxm --remove", "--remove takes the name of one group"),
        ("quota demo h100-sxm --limit 4 --lift", "--lift takes all figures away"),
        ("quota demo --lift", "say of which resource"),
    ],
)
def test_what_contradicts_itself_is_refused(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["queue", *line.split()]) == 2
    assert said in capsys.readouterr().err
