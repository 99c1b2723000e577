from dataclasses import replace

from scheduler.core.model.job import Alternative, AnyOf, ArrayMember, ExactMix, Part, WorkerRole, member_name
from scheduler.core.model.resources import MAIN_ROLE
from tests.builders.core import make_job, make_shape

SMALL = make_shape(0)


def test_one_of_an_array_is_told_its_number_beside_what_was_asked_for() -> None:
    array = ArrayMember("a1", "sweep", 2, 9)
    spec = replace(make_job(array=array).spec, environment=(("EPOCHS", "3"),))
    assert dict(spec.variables) == {
        "EPOCHS": "3",
        "MEDLEY_ARRAY_ID": "a1",
        "MEDLEY_ARRAY_INDEX": "2",
        "MEDLEY_ARRAY_COUNT": "9",
    }
    assert member_name("sweep", 2) == "sweep-2"
    assert make_job().spec.variables == ()


def test_every_acceptable_chip_is_one_option_for_the_whole_gang_in_the_users_order() -> None:
    spec = make_job(chips=AnyOf(("mlu", "h100")), workers=4).spec
    assert spec.options() == ((Part("mlu", 4, spec.shape),), (Part("h100", 4, spec.shape),))


def test_a_job_that_names_no_chip_type_has_one_option_without_devices() -> None:
    spec = make_job(chips=AnyOf(()), shape=SMALL).spec
    assert spec.options() == ((Part(None, 1, SMALL),),)


def test_an_exact_mix_is_a_single_option() -> None:
    spec = make_job(chips=ExactMix((("mlu", 1), ("h100", 3)))).spec
    assert spec.options() == ((Part("mlu", 1, spec.shape), Part("h100", 3, spec.shape)),)


def test_alternatives_of_another_size_come_after_what_is_liked_best() -> None:
    other = make_shape(2)
    spec = make_job(chips="h100", workers=8, alternatives=(Alternative(16, other, ("a800", "mlu")),)).spec
    assert spec.options() == (
        (Part("h100", 8, spec.shape),),
        (Part("a800", 16, other),),
        (Part("mlu", 16, other),),
    )


def test_a_role_is_a_part_of_every_option_with_ranks_after_the_main_workers() -> None:
    spec = make_job(chips=AnyOf(("h100", "mlu")), workers=2, roles=(WorkerRole("launcher", 1, SMALL, ()),)).spec
    launcher = Part(None, 1, SMALL, "launcher")
    assert spec.options() == (
        (Part("h100", 2, spec.shape, MAIN_ROLE), launcher),
        (Part("mlu", 2, spec.shape, MAIN_ROLE), launcher),
    )


def test_the_chip_types_of_several_roles_are_paired_in_every_way_the_main_ones_changing_last() -> None:
    roles = (WorkerRole("judge", 1, SMALL, ("a", "b")), WorkerRole("actor", 2, SMALL, ("c", "d")))
    options = make_job(chips=AnyOf(("h100", "mlu")), roles=roles).spec.options()
    assert [tuple(part.chip for part in option) for option in options] == [
        (main, judge, actor) for main in ("h100", "mlu") for judge in "ab" for actor in "cd"
    ]


def test_alternatives_and_mixes_bring_the_roles_along() -> None:
    roles = (WorkerRole("launcher", 1, SMALL, ()),)
    mixed = make_job(chips=ExactMix((("mlu", 1), ("h100", 3))), roles=roles).spec
    assert [[part.role for part in option] for option in mixed.options()] == [[MAIN_ROLE, MAIN_ROLE, "launcher"]]
    sized = make_job(alternatives=(Alternative(2, SMALL, ("mlu",)),), roles=roles).spec
    assert [[part.role for part in option] for option in sized.options()] == [[MAIN_ROLE, "launcher"]] * 2
