from dataclasses import replace

import pytest

from scheduler.core.model.asking.remedies import (
    AlsoOnChip,
    FewerDevices,
    FewerWorkers,
    Remedy,
    ShorterLimit,
    Wishful,
    Without,
    wishes_of,
    with_remedy,
)
from scheduler.core.model.job import AnyOf
from scheduler.core.model.topology import ANYWHERE_CLOSE, RACK, Apart, Closeness, Spread
from tests.builders.core import make_job, make_shape

PLAIN = make_job(1, workers=4, shape=make_shape(2)).spec
PICKY = make_job(
    1,
    closeness=Closeness(RACK),
    spread=Spread(RACK, 1),
    apart=Apart(RACK, (("app", "x"),)),
    exclusive=True,
    node_labels=(("disk", "ssd"),),
).spec


@pytest.mark.parametrize(
    ("remedy", "differs"),
    [
        (ShorterLimit(60), {"time_limit_s": 60}),
        (AlsoOnChip("a800"), {"chips": AnyOf(("h100", "a800"))}),
        (FewerWorkers(3), {"workers": 3}),
        (FewerDevices(1), {"shape": make_shape(1)}),
    ],
)
def test_a_remedy_changes_one_thing_that_is_asked_for(remedy: Remedy, differs: dict[str, object]) -> None:
    assert with_remedy(PLAIN, remedy) == replace(PLAIN, **differs)  # type: ignore[arg-type]


def test_only_wishes_that_a_job_has_can_be_given_up() -> None:
    assert wishes_of(PLAIN) == ()
    assert wishes_of(PICKY) == tuple(Wishful)


def test_who_gives_up_all_wishes_asks_for_devices_alone() -> None:
    spec = PICKY
    for wish in wishes_of(PICKY):
        spec = with_remedy(spec, Without(wish))
    assert spec == replace(PICKY, closeness=ANYWHERE_CLOSE, spread=None, apart=None, exclusive=False, node_labels=())
