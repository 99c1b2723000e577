"""The benchmark of checkpoints, at a size that takes no time: what it measures exists and makes sense."""

from bench.trainings.checkpoint import Size, measure


def test_a_small_run_has_all_figures_and_finds_its_state_too_small() -> None:
    measurement = measure(Size(width=32, layers=1, rounds=1, steps=2, steps_beside=2))

    assert {limit.figure for limit in (*measurement.goals, *measurement.required)} <= measurement.figures.keys()
    assert 0 < measurement.figures["state_mib"] < 1
    assert measurement.figures["asynchronous_write_s"] > 0
    assert measurement.figures["step_s"] > 0
