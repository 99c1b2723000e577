from scheduler.core.queueing.rounds.allocating import Runner
from scheduler.core.queueing.rounds.assigning import Standing, assign

A, B, C = (Runner(name, 1.0, (("new", 2.0), ("old", 1.0))) for name in "abc")
NEW = {"new": 1.0}


def test_who_had_least_of_what_it_is_to_have_goes_first() -> None:
    parts = {"a": {"new": 0.5}, "b": {"new": 0.5}}
    standings = {"a": Standing({"new": 0.8}), "b": Standing({"new": 0.1})}
    assert assign([A, B], NEW, parts, standings) == {"b": "new"}


def test_who_never_ran_goes_before_all_that_did() -> None:
    parts = {"a": {"new": 0.9}, "b": {"new": 0.1}}
    assert assign([A, B], NEW, parts, {"a": Standing({"new": 0.1}), "b": Standing({})}) == {"b": "new"}


def test_who_runs_goes_on_while_nobody_is_much_more_urgent() -> None:
    parts = {"a": {"new": 0.5}, "b": {"new": 0.5}}
    near = {"a": Standing({"new": 0.5}), "b": Standing({"new": 0.55}, on="new")}
    far = {"a": Standing({"new": 0.3}), "b": Standing({"new": 0.7}, on="new")}
    assert assign([A, B], NEW, parts, near) == {"b": "new"}
    assert assign([A, B], NEW, parts, far) == {"a": "new"}


def test_what_is_left_is_for_whoever_fits_in_it() -> None:
    parts = {"a": {"new": 1.0}, "b": {"new": 1.0}}
    standings = {name: Standing({}) for name in "abc"}
    assert assign([C, B, A], {"new": 1.0, "old": 1.0}, parts, standings) == {"a": "new", "b": "old"}
