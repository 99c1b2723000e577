from dataclasses import replace

from api.answers.waiting.moves import move_answers
from api.text.waiting.moves import move_text
from scheduler.core.model.asking.moves import Move

MOVE = Move("j1", "beta", ("mixed/n1",), ("mixed/n2", "mixed/n3"), 4_000, 720.0, is_allowed=True)


def test_a_move_is_told_with_its_cost_and_whether_it_is_allowed() -> None:
    said = "job j1 moved from mixed/n1 to mixed/n2 and mixed/n3, which costs about 12 chip-minutes"
    assert move_text(MOVE, "beta") == move_text(MOVE, None) == said
    told = move_text(replace(MOVE, is_allowed=False, cost_device_s=1.0), "beta")
    assert "which costs about 1 chip-minute and is not done by itself: its job does not say `movable: true`" in told


def test_jobs_of_other_tenants_have_no_name() -> None:
    assert move_text(MOVE, "alpha").startswith("a job of tenant beta moved")
    assert [answer.job for answer in move_answers([MOVE, MOVE], "alpha")] == [None, None]
    assert [answer.job for answer in move_answers([MOVE], "beta")] == ["j1"]
