"""A workload as a table of jobs that are known: a CSV file, such as one's own history (`medley history -o csv`).

Columns, in any order; others are passed over:

- `submitted_at`: a time (RFC 3339), or seconds from any moment on. The first job comes when the simulation begins.
- `tenant`, and optionally `user` and `name`.
- `run_s`: how long it ran. A job that never ran has none, and is left out.
- `workers` and `devices_per_worker`; or `devices` in all; or `chip_hours`, of which the devices are worked out. Of more
  than eight devices each worker is given eight.
- `chip`, optionally: chip types with spaces between them, the first one liked best. Without any, all types there are.
- `limit_s`, optionally: its time limit.
"""

import csv
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from pathlib import Path

from scheduler.adapters.files.marked_yaml import FileError, suggest
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.job import AnyOf, CommandProgram, JobKind, JobSpec
from scheduler.core.model.resources import WorkerShape
from scheduler.simulator.workloads.arrival import Arrival, Life
from scheduler.simulator.workloads.templates import HOUR_S, Listed, Size
from scheduler.simulator.workloads.workload_file import LONGEST_S

MOST_JOBS = 2_000_000
LARGEST_FILE_BYTES = 1024 * 1024 * 1024
_DEVICES_OF_A_WORKER = 8
_LONGEST_NAME = 63
_DAY_S = 86_400
_MOST = 1e9
_NEEDED = ("submitted_at", "tenant", "run_s")
_Row = Mapping[str, str | None]


def read_jobs(path: Path, chips: Collection[ChipName]) -> Listed:
    """Return the jobs of a file, for a cluster that has these chip types. Raises FileError."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise FileError(f"{path}:1: the file is larger than 1 GiB; split it")
        with path.open(newline="", encoding="utf-8") as file:
            jobs = sorted(_Reader(path, tuple(chips)).read(csv.DictReader(file)), key=lambda job: job.at_s)
    except OSError as error:
        raise FileError(f"{path}:1: cannot be read: {error.strerror}; check the path and its permissions") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path}:1: this is not UTF-8; save the file as UTF-8") from error
    except csv.Error as error:
        raise FileError(f"{path}:1: this is no CSV: {error}; write it with commas between columns") from error
    if not jobs:
        raise FileError(f"{path}:1: no job has run; list jobs with a run_s above 0")
    first_s = jobs[0].at_s
    if jobs[-1].at_s - first_s > LONGEST_S:
        days = f"more than {LONGEST_S // _DAY_S:,} days from the first job to the last"
        raise FileError(f"{path}:1: {days}; give submitted_at in seconds, not in milliseconds, or split the file")
    return Listed(tuple(Arrival(job.at_s - first_s, job.tenant, job.by, job.spec, job.life) for job in jobs))


class _Reader:
    def __init__(self, path: Path, chips: tuple[ChipName, ...]) -> None:
        self._path = path
        self._chips = chips
        self._line = 1
        self._spec_of = cache(_spec)

    def read(self, rows: "csv.DictReader[str]") -> Iterator[Arrival]:
        columns = rows.fieldnames or ()
        for needed in _NEEDED:
            if needed not in columns:
                raise self._error(f"column {needed!r} is missing", f"the columns are {', '.join(columns)}")
        for count, row in enumerate(rows, start=1):
            self._line = rows.line_num
            if count > MOST_JOBS:
                raise self._error(f"more than {MOST_JOBS:,} jobs", "split the file")
            run_s = self._number(row, "run_s")
            if run_s:
                yield self._job(row, run_s)

    def _job(self, row: _Row, run_s: float) -> Arrival:
        limit_s = self._number(row, "limit_s")
        tenant = self._name(row, "tenant")
        name = (row.get("name") or "listed")[:_LONGEST_NAME]
        spec = self._spec_of(name, self._size(row, run_s), self._wanted(row), round(limit_s) if limit_s else None)
        return Arrival(self._submitted_s(row), tenant, row.get("user") or tenant, spec, Life(run_s))

    def _size(self, row: _Row, run_s: float) -> Size:
        workers, each = self._number(row, "workers"), self._number(row, "devices_per_worker")
        if workers or each:
            return Size(max(1, round(workers or 1)), round(1 if each is None else each))
        devices = self._number(row, "devices")
        if devices is None:
            hours = self._number(row, "chip_hours")
            if hours is None:
                what_to_do = "give workers and devices_per_worker, or devices, or chip_hours"
                raise self._error("how many devices it had is not said", what_to_do)
            devices = hours * HOUR_S / run_s
        count = round(devices)
        if count <= _DEVICES_OF_A_WORKER:
            return Size(1, count)
        return Size(-(-count // _DEVICES_OF_A_WORKER), _DEVICES_OF_A_WORKER)

    def _wanted(self, row: _Row) -> tuple[ChipName, ...]:
        named = tuple((row.get("chip") or "").replace("|", " ").split())
        for chip in named:
            if chip not in self._chips:
                raise self._error(f"the cluster has no chip type {chip!r}", suggest(chip, self._chips))
        return named or self._chips

    def _submitted_s(self, row: _Row) -> float:
        text = row["submitted_at"] or ""
        try:
            at_s = float(text)
        except ValueError:
            return self._moment_s(text)
        if not isfinite(at_s):
            raise self._no_time(text)
        return at_s

    def _moment_s(self, text: str) -> float:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise self._no_time(text) from None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()

    def _no_time(self, text: str) -> FileError:
        return self._error(f"{text[:63]!r} is no time", "write 2026-11-01T08:00:00Z, or seconds")

    def _name(self, row: _Row, column: str) -> str:
        text = row[column] or ""
        if not 1 <= len(text) <= _LONGEST_NAME or not text.isprintable():
            raise self._error(f"{text[:63]!r} cannot be a {column}", "use 1 to 63 characters")
        return text

    def _number(self, row: _Row, column: str) -> float | None:
        text = row.get(column)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number <= _MOST:
            raise self._error(f"{column} is {text[:63]!r}", f"write a number from 0 to {_MOST:,.0f}")
        return number

    def _error(self, what: str, what_to_do: str) -> FileError:
        return FileError(f"{self._path}:{self._line}: {what}; {what_to_do}")


def _spec(name: str, size: Size, chips: tuple[ChipName, ...], limit_s: int | None) -> JobSpec:
    return JobSpec(
        name=name,
        kind=JobKind.TRAINING,
        workers=size.workers,
        shape=WorkerShape(size.devices_per_worker, 1_000, 4_096),
        chips=AnyOf(chips if size.devices_per_worker else ()),
        program=CommandProgram(("simulated",)),
        time_limit_s=limit_s,
    )
