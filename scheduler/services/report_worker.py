"""What workers tell the API and ask of it."""

from dataclasses import dataclass

from scheduler.core.model.attempt import Progress
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Journal, Outcome
from scheduler.ports.workers.reports import RegisterRendezvous, ReportProgress
from scheduler.services.access.attempt_tokens import AttemptClaim


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """A training's report as its rank 0 sends it."""

    step: int
    steps: int
    loss: float
    tokens_per_s: float


def register_rendezvous(journal: Journal, clock: Clock, claim: AttemptClaim, address: str) -> Outcome:
    """Keep rank 0's address so that the other ranks of this generation find it."""
    write = RegisterRendezvous(claim.attempt, claim.generation, address, clock.now())
    return journal.write([write])[0]


def report_progress(journal: Journal, clock: Clock, claim: AttemptClaim, report: TrainingReport) -> Outcome:
    """Keep a training's report."""
    progress = Progress(report.step, report.steps, report.loss, report.tokens_per_s, clock.now())
    return journal.write([ReportProgress(claim.attempt, claim.generation, progress)])[0]
