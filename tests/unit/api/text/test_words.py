from dataclasses import replace

import pytest

from api.text.words import count, duration, gang, listed, nearest, ordinal
from scheduler.core.model.job import Alternative, AnyOf, ExactMix, WorkerRole
from scheduler.core.model.resources import Elastic, WorkerShape
from tests.builders.core import make_job


@pytest.mark.parametrize(
    ("number", "want"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (112, "112th"),
    ],
)
def test_ordinals_end_as_people_say_them(number: int, want: str) -> None:
    assert ordinal(number) == want


def test_one_thing_has_no_plural() -> None:
    assert [count(number, "worker") for number in (0, 1, 2_000)] == ["0 workers", "1 worker", "2,000 workers"]


def test_a_long_list_is_cut_and_the_rest_counted() -> None:
    assert listed(["a"], "and") == "a"
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert listed(["a", "b", "c", "d", "e", "f", "g"], "and") == "a, b, c, d and 3 more"


def test_a_gang_is_described_by_what_it_asks_for() -> None:
    either = make_job(chips=AnyOf(("h100", "a800")), workers=4, shape=WorkerShape(2, 1, 1))
    mixed = make_job(chips=ExactMix((("h100", 2), ("mi300x", 1))))
    assert gang(either.spec) == "4 workers with 2 devices each on h100 or a800"
    assert gang(mixed.spec) == "3 workers with 1 device each on h100 (2) and mi300x (1)"


def test_of_one_worker_nothing_is_said_of_each() -> None:
    several = make_job(chips="h100", workers=4, shape=WorkerShape(2, 1, 1))
    assert gang(make_job(chips="h100", shape=WorkerShape(2, 1, 1)).spec) == "1 worker with 2 devices on h100"
    assert gang(replace(several.spec, elastic=Elastic(1))) == "1 to 4 workers with 2 devices each on h100"


def test_a_gang_of_several_sizes_and_roles_names_them_all() -> None:
    spec = replace(
        make_job(chips="h100", workers=4, shape=WorkerShape(0, 1, 1, share_milli=125, share_memory_mib=10_240)).spec,
        alternatives=(Alternative(2, WorkerShape(1, 1, 1), ("a800", "t4")),),
        roles=(WorkerRole("launcher", 1, WorkerShape(0, 1, 1), ()),),
    )
    assert gang(spec) == (
        "4 workers with 12.5 % of a device and 10,240 MiB of its memory each on h100; "
        "or 2 workers with 1 device each on a800 or t4; 1 worker of role launcher"
    )


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        (1, "1 second"),
        (89.9, "89 seconds"),
        (90, "1 minute"),
        (1_519, "25 minutes"),
        (5_400, "1.5 hours"),
        (12_600, "3.5 hours"),
        (172_800, "2 days"),
    ],
)
def test_a_duration_is_rounded_down_as_people_say_it(seconds: float, want: str) -> None:
    assert duration(seconds) == want


def test_what_was_probably_meant_is_alike_or_begins_alike() -> None:
    known = ("name", "workers", "devices_per_worker")
    assert (nearest("nmae", known), nearest("devices", known)) == ("name", "devices_per_worker")
    assert nearest("", known) is nearest("zzz", known) is None
