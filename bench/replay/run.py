"""One replay: pods arrive one after another and never leave; what does not fit is dropped for good."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from time import process_time

from bench.replay.openb import TENANT, Pod, Trace
from bench.replay.rows import Knowledge, Row
from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import PutNode, Seat
from scheduler.core.placement.placement import GangPlace
from scheduler.core.placement.request import request_of
from scheduler.core.placement.scoring.configuration import Scoring
from scheduler.core.placement.scoring.job_mix import JobMix, LearntMix, WorkerKind, mix_of, worker_kinds


@dataclass(frozen=True, slots=True)
class Run:
    """What came out, after each pod that arrived."""

    arrived_milli: list[int]
    """Thousandths of devices asked for so far."""
    held_milli: list[int]
    """Thousandths of devices held."""
    seconds: float
    """The time of all decisions."""


def replay(trace: Trace, arriving: Sequence[Pod], row: Row, seed: int) -> Run:
    """Let the core decide on each pod as it arrives."""
    state = SchedulerState(Scoring(row.weights))
    for node in trace.nodes:
        state.ledger.apply(PutNode(node))
    if row.draws:
        state.placer.draw = Random(f"nodes {seed}").randrange  # Not the draws that the order was made of.
    if row.knowledge is Knowledge.GIVEN:
        state.placer.expect(known_mix(trace.pods))
    learnt = LearntMix() if row.knowledge is Knowledge.LEARNT else None
    asks = {pod.ask: pod.ask.job() for pod in arriving}
    requests = {ask: request_of(job) for ask, job in asks.items()}
    kinds = {ask: worker_kinds(job.spec) for ask, job in asks.items()}
    arrived = 0
    run_arrived: list[int] = []
    run_held: list[int] = []
    seconds = 0.0
    for number, pod in enumerate(arriving):
        start = process_time()
        if learnt is not None and learnt.see(kinds[pod.ask]):
            state.placer.expect(learnt.mix)
        found = find_place(state, requests[pod.ask])
        if isinstance(found, GangPlace):
            state.ledger.apply(Seat(f"{pod.name}-{number}", TENANT, found.seatings))
        seconds += process_time() - start
        arrived += pod.devices_milli
        run_arrived.append(arrived)
        run_held.append(sum(state.ledger.queue_devices_milli(TENANT, chip) for chip in trace.chips))
    return Run(run_arrived, run_held, seconds)


def known_mix(pods: Iterable[Pod]) -> JobMix:
    """Return the mix of a list that is known in advance."""
    counts: Counter[WorkerKind] = Counter()
    for ask, times in Counter(pod.ask for pod in pods).items():
        counts.update({kind: workers * times for kind, workers in worker_kinds(ask.job().spec)})
    return mix_of(counts)
