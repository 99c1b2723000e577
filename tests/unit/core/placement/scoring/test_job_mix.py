import pytest

from scheduler.core.model.job import Alternative, AnyOf, ExactMix, WorkerRole
from scheduler.core.placement.scoring.job_mix import FIRST_MIX, MOST_KINDS, NO_MIX, LearntMix, WorkerKind, mix_of
from scheduler.core.placement.scoring.job_mix import worker_kinds as kinds_of
from tests.builders.core import make_job, make_shape

ONE = WorkerKind(1_000, 1_000, 1, ())
TWO = WorkerKind(1_000, 1_000, 2, ())
HALF = WorkerKind(1_000, 500, 1, ())
NONE = WorkerKind(1_000, 0, 0, ())


def test_the_most_frequent_kinds_that_make_up_95_percent_are_typical_and_their_shares_add_up_to_1() -> None:
    mix = mix_of({ONE: 4, TWO: 90, HALF: 6})
    assert mix.shares == ((TWO, 90 / 96), (HALF, 6 / 96))
    assert sum(share for _, share in mix.shares) == pytest.approx(1)


def test_no_kind_is_left_out_that_is_needed_to_reach_95_percent() -> None:
    assert [kind for kind, _ in mix_of({ONE: 94, TWO: 5, HALF: 1}).shares] == [ONE, TWO]
    assert [kind for kind, _ in mix_of({ONE: 95, TWO: 5}).shares] == [ONE]


def test_among_equally_frequent_kinds_the_more_demanding_come_first() -> None:
    more_cpu = WorkerKind(2_000, 0, 0, ())
    mix = mix_of(dict.fromkeys([NONE, HALF, TWO, ONE, more_cpu], 1))
    assert [kind for kind, _ in mix.shares] == [more_cpu, TWO, ONE, HALF, NONE]


def test_the_order_in_which_kinds_were_counted_does_not_matter() -> None:
    counts = [(ONE, 3), (TWO, 3), (HALF, 1), (NONE, 3)]
    assert mix_of(dict(counts)) == mix_of(dict(reversed(counts)))


def test_a_mix_has_a_bounded_number_of_kinds() -> None:
    counts = {WorkerKind(cpu_milli, 1_000, 1, ()): 1 for cpu_milli in range(2 * MOST_KINDS)}
    mix = mix_of(counts)
    assert len(mix.shares) == MOST_KINDS
    assert sum(share for _, share in mix.shares) == pytest.approx(1)


def test_nothing_counted_is_no_mix() -> None:
    assert mix_of({}) == NO_MIX


def test_a_mix_is_learnt_from_the_first_workers_on_and_anew_when_as_many_more_have_come() -> None:
    learnt = LearntMix()
    assert not learnt.see([(ONE, FIRST_MIX - 1)])
    assert learnt.mix == NO_MIX
    assert learnt.see([(TWO, 1)])
    assert learnt.mix == mix_of({ONE: FIRST_MIX - 1, TWO: 1})
    assert not learnt.see([(TWO, FIRST_MIX - 1)])
    assert learnt.see([(TWO, 1)])
    assert learnt.mix == mix_of({ONE: FIRST_MIX - 1, TWO: FIRST_MIX + 1})


def test_one_job_with_very_many_workers_is_learnt_at_once() -> None:
    learnt = LearntMix()
    assert learnt.see([(ONE, 10**9), (TWO, 1)])
    assert learnt.mix.shares == ((ONE, 1.0),)
    assert not learnt.see([(TWO, 10)])


def test_a_mix_is_of_the_workers_that_are_still_wanted() -> None:
    learnt = LearntMix()
    learnt.see([(ONE, FIRST_MIX)])
    learnt.forget([(ONE, FIRST_MIX)])
    assert learnt.mix == mix_of({ONE: 1}), "what was learnt is kept until there is something to learn"
    assert learnt.see([(TWO, FIRST_MIX)])
    assert learnt.mix == mix_of({TWO: 1})


def test_where_workers_come_and_go_the_mix_is_learnt_anew_when_as_many_came_as_there_were() -> None:
    learnt = LearntMix()
    learnt.see([(ONE, 100)])
    news: list[bool] = []
    for _ in range(200):
        learnt.forget([(ONE, 1)] if len(news) < 100 else [(TWO, 1)])
        news.append(learnt.see([(TWO, 1)]))
    assert [number for number, is_news in enumerate(news, start=1) if is_news] == [100, 200]
    assert learnt.mix == mix_of({TWO: 1})


def test_too_few_workers_teach_nothing_however_many_have_come() -> None:
    learnt = LearntMix()
    for _ in range(10 * FIRST_MIX):
        assert not learnt.see([(ONE, FIRST_MIX - 1)])
        learnt.forget([(ONE, FIRST_MIX - 1)])
    assert learnt.see([(ONE, FIRST_MIX)])


def test_only_kinds_that_are_still_wanted_are_remembered() -> None:
    learnt = LearntMix()
    for cpu_milli in range(100):
        kinds = [(WorkerKind(cpu_milli, 1_000, 1, ()), 1), (ONE, 1)]
        learnt.see(kinds)
        learnt.forget(kinds)
    assert learnt.counts == {}
    learnt.see([(ONE, 2), (TWO, 1)])
    learnt.forget([(ONE, 1)])
    assert learnt.counts == {ONE: 1, TWO: 1}


def test_a_job_is_as_many_workers_as_it_has_that_accept_what_any_of_its_options_names() -> None:
    job = make_job(
        chips=AnyOf(("mlu", "h100")),
        workers=3,
        shape=make_shape(2, cpu_milli=500),
        alternatives=(Alternative(6, make_shape(1), ("t4",)),),
    )
    assert kinds_of(job.spec) == [(WorkerKind(500, 1_000, 2, ("h100", "mlu", "t4")), 3)]


def test_a_share_is_part_of_one_device() -> None:
    job = make_job(workers=2, shape=make_shape(cpu_milli=100, share_milli=250))
    assert kinds_of(job.spec) == [(WorkerKind(100, 250, 1, ("h100",)), 2)]


def test_every_role_is_a_kind_of_its_own() -> None:
    job = make_job(roles=(WorkerRole("launcher", 1, make_shape(0), ()), WorkerRole("eval", 2, make_shape(1), ("mlu",))))
    assert kinds_of(job.spec) == [
        (WorkerKind(1_000, 1_000, 1, ("h100",)), 1),
        (WorkerKind(1_000, 0, 0, ()), 1),
        (WorkerKind(1_000, 1_000, 1, ("mlu",)), 2),
    ]


def test_workers_of_an_exact_mix_accept_any_of_its_chip_types() -> None:
    job = make_job(chips=ExactMix((("mlu", 1), ("h100", 3))))
    both = WorkerKind(1_000, 1_000, 1, ("h100", "mlu"))
    assert kinds_of(job.spec) == [(both, 4)]


@pytest.mark.parametrize(("kind", "devices_milli"), [(TWO, 2_000), (HALF, 500), (NONE, 0)])
def test_a_kind_knows_what_it_takes_in_all(kind: WorkerKind, devices_milli: int) -> None:
    assert kind.devices_milli == devices_milli
