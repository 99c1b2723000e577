"""The sentence about a job that waits."""

from dataclasses import replace

from api.answers.explanations import waiting_answer
from api.schemas.reason import KeptApartAnswer, TooFewFreeAnswer, WhyAnswer
from scheduler.core.deciding.explanation import Explanation
from scheduler.core.model.asking.remedies import AlsoOnChip, FewerDevices, FewerWorkers
from scheduler.core.model.group import State
from scheduler.core.model.job import JobKind
from scheduler.core.model.reason import (
    KeptApart,
    Limit,
    NearestShape,
    NeverFits,
    NoCluster,
    Reason,
    Resource,
    TooFewFree,
)
from scheduler.ports.views import JobView
from scheduler.services.explain_job import JobExplanation
from scheduler.services.questions.advise import NO_ADVICE, Advice
from tests.builders.core import make_group, make_job

NEVER = NeverFits("mixed", "h100", 1, 9, 0, 8, Limit(Resource.DEVICES, 9, 8))


def explained(*reasons: Reason, objecting_clusters: tuple[str, ...] = (), advised: Advice = NO_ADVICE) -> WhyAnswer:
    job = make_job(objecting_clusters=objecting_clusters)
    group = make_group(job)
    view = JobView(job, State.QUEUED, (group,), (), progress=None, finished_at=None, refusal=None)
    explanation = Explanation(group.id, reasons, position=1, ahead=0)
    return waiting_answer(view, JobExplanation((explanation,), change=1, age_s=0.0), "alpha", advised)


def test_what_does_not_fit_even_when_all_is_free_waits_for_nodes() -> None:
    answer = explained(NEVER)
    assert answer.text == (
        "It waits, 1st in the queue: needs 1 worker with 9 h100 on one node; the largest node of cluster mixed "
        "has 8 such devices; it would not fit even if all of them were free, and waits for other nodes."
    )
    assert answer.next == "wait for other nodes, or submit it again in a shape that fits: at most 8 devices per worker"


def test_a_cluster_that_would_not_run_the_job_is_named() -> None:
    answer = explained(NoCluster(), objecting_clusters=("mixed", "west"))
    assert answer.text == (
        "It waits, 1st in the queue: no cluster that would run it has reported its nodes yet; "
        "left out is what would not run it: cluster mixed and cluster west."
    )


def test_a_job_that_waits_because_it_keeps_apart_is_told_so_in_words_and_numbers() -> None:
    kept = KeptApart("rack", domains=2, workers_fit=3)
    answer = explained(
        TooFewFree("mixed", "h100", 3, 1, 0, 0, 8, 0, (), Limit(Resource.DEVICES, 1, 0), kept_apart=kept)
    )
    assert answer.text == (
        "It waits, 1st in the queue: needs 3 workers, each with 1 free h100; none fits now, 8 devices are free; "
        "it keeps apart from 2 racks (else 3 would fit)."
    )
    assert answer.next == (
        "wait, or submit it with fewer workers, without apart (3 would fit) or with more acceptable chip types"
    )
    (reason,) = answer.reasons
    assert isinstance(reason, TooFewFreeAnswer)
    assert reason.kept_apart == KeptApartAnswer(level="rack", domains=2, workers_fit=3)


def test_the_nearest_shape_is_told_only_where_one_like_it_would_start() -> None:
    nearest = NearestShape(1, 1, "cluster")
    few = TooFewFree("mixed", "h100", 2, 1, 1, 1, 1, 0, (), Limit(Resource.DEVICES, 1, 1), nearest=nearest)
    offered = Advice((AlsoOnChip("a800"), FewerWorkers(1)), starts_now=True)
    other = Advice((FewerDevices(1),), starts_now=True)
    told = [explained(few, advised=advised).next for advised in (offered, other, NO_ADVICE)]
    assert told[0] == "wait, or submit it with 1 worker (fits now) or with more acceptable chip types"
    assert told[1:] == ["wait, or submit it with fewer workers or with more acceptable chip types"] * 2


def test_a_server_of_which_some_replicas_run_is_told_how_many_wait() -> None:
    made = make_job()
    job = replace(made, replicas=3, spec=replace(made.spec, kind=JobKind.INFERENCE))
    groups = [make_group(job, index=index) for index in range(3)]
    view = JobView(job, State.RUNNING, tuple(groups), (), progress=None, finished_at=None, refusal=None)
    told = []
    for waiting in (groups[2:], groups[1:], groups):
        explanations = tuple(Explanation(group.id, (NoCluster(),), position=2, ahead=1) for group in waiting)
        told.append(waiting_answer(view, JobExplanation(explanations, change=1, age_s=0.0), "alpha"))
    assert [answer.state for answer in told] == [State.RUNNING] * 3
    assert [answer.text.partition(",")[0] for answer in told] == [
        "1 of its 3 replicas waits",
        "2 of its 3 replicas wait",
        "It waits",
    ]
