import itertools
from dataclasses import dataclass, field

import pytest
from medley_runtime.heartbeats.heart import Progress
from medley_runtime.launch import ReferenceTraining
from medley_runtime.reference_training.narration import Listeners, Narration


@dataclass
class Told:
    """A narration under a clock that moves by hand."""

    steps: int
    now: float = 0.0
    reports: list[Progress] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = ReferenceTraining(self.steps, 2, 10, 8, 1, 1, 0.01, 1)
        self.narration = Narration(plan, 4, Listeners(lambda: self.now, self.reports.append))

    def run(self, step_s: float) -> None:
        for step in range(1, self.steps + 1):
            self.now += step_s
            self.narration.tell(step, lambda: 2.0)


def test_a_short_training_prints_about_a_dozen_lines_with_its_first_and_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Told(steps=60).run(step_s=0.01)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1/60", *(f"{step}/60" for step in range(5, 61, 5))]
    assert lines[0] == "step 1/60 loss 2.000 tokens/s 8000"


def test_a_long_training_is_never_silent_for_long(capsys: pytest.CaptureFixture[str]) -> None:
    Told(steps=1_200).run(step_s=1.0)

    assert 1_200 / 6 < len(capsys.readouterr().out.splitlines()) < 1_200 / 4


def test_reports_keep_their_distance_but_for_the_first_and_the_last() -> None:
    told = Told(steps=100)
    told.run(step_s=0.125)

    steps = [report.step for report in told.reports]
    assert (steps[0], steps[-1]) == (1, 100)
    assert all(later - earlier >= 4 for earlier, later in itertools.pairwise(steps[:-1]))


def test_tokens_per_second_count_the_whole_gang_since_the_last_telling() -> None:
    told = Told(steps=100)
    told.run(step_s=0.5)

    assert {report.tokens_per_s for report in told.reports} == {2 * 10 * 4 / 0.5}


def test_the_loss_is_read_only_when_it_is_told() -> None:
    told = Told(steps=1_000)
    told.narration.tell(1, lambda: 2.0)
    told.narration.tell(2, lambda: pytest.fail("read without need"))
