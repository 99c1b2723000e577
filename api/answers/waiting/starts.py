"""When jobs of a list will start: what the latest forecast says, without making one."""

from collections.abc import Sequence

from api.schemas.waiting.starts import StartAnswer
from scheduler.core.model.group import Group, State
from scheduler.core.model.identifiers import JobId, group_id
from scheduler.core.model.waiting.estimate import Estimate
from scheduler.ports.views import JobRow, JobView
from scheduler.services.questions.forecasting import Forecaster


def start_of_job(forecaster: Forecaster | None, view: JobView) -> StartAnswer | None:
    """Return when a job is expected to start, of several replicas the first that waits; None where nobody knows."""
    first = _first_waiting(view.groups)
    return None if first is None or forecaster is None else _start(forecaster, first.job_id, first.index)


def start_of_row(forecaster: Forecaster | None, row: JobRow) -> StartAnswer | None:
    """Return the same of a job in short: of its first replica."""
    return None if row.state is not State.QUEUED or forecaster is None else _start(forecaster, row.id, 0)


def _first_waiting(groups: Sequence[Group]) -> Group | None:
    return next((group for group in groups if group.state is State.QUEUED), None)


def _start(forecaster: Forecaster, job: JobId, index: int) -> StartAnswer | None:
    found = forecaster.known(group_id(job, index))
    if not isinstance(found, Estimate):
        return None
    return StartAnswer(earliest=found.earliest, latest=found.latest, basis=found.basis)
