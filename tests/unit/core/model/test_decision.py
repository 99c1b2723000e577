from typing import get_args

from scheduler.core.model.decision import Decision, Placed, Refused, Waiting


def test_a_decision_that_is_written_names_the_version_it_was_made_on() -> None:
    versioned = {kind for kind in get_args(Decision) if "version" in kind.__dataclass_fields__}
    assert versioned == {Placed, Refused}
    assert Waiting in get_args(Decision)
