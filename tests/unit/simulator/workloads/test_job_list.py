from pathlib import Path

import pytest

from scheduler.adapters.files.marked_yaml import FileError
from scheduler.core.model.job import AnyOf
from scheduler.simulator.workloads.job_list import read_jobs
from scheduler.simulator.workloads.templates import Listed
from tests.builders.simulating import CHIPS

HEAD = "submitted_at,tenant,run_s,workers,devices_per_worker,chip,limit_s,user,name\n"


def read(folder: Path, text: str) -> Listed:
    path = folder / "jobs.csv"
    path.write_text(text)
    return read_jobs(path, CHIPS)


def test_jobs_come_in_the_order_of_time_from_the_first_one_on(tmp_path: Path) -> None:
    found = read(tmp_path, f"{HEAD}1060,alpha,100,4,8,slow fast,600,ada,late\n1000,beta,50,1,1,,,,\n")
    first, second = found.jobs
    assert (first.at_s, first.tenant, first.by, first.spec.chips) == (0.0, "beta", "beta", AnyOf(CHIPS))
    assert (second.at_s, second.by, second.spec.name, second.life.work_s) == (60.0, "ada", "late", 100.0)
    assert (second.spec.workers, second.spec.shape.devices) == (4, 8)
    assert (second.spec.chips, second.spec.time_limit_s) == (AnyOf(("slow", "fast")), 600)


def test_ones_own_history_is_read(tmp_path: Path) -> None:
    text = """id,name,tenant,user,state,submitted_at,placed_at,finished_at,attempts,wait_s,run_s,chip_hours
01jd3v9k2m0a7b4c,first,demo,ann,succeeded,2026-11-21T12:00:00Z,,,1,1.0,7200.0,96.0
01jd3v9k2m0a7b4d,small,demo,ann,succeeded,2026-11-21T12:00:10Z,,,1,1.0,3600.0,3.0
01jd3v9k2m0a7b4e,never,demo,ann,cancelled,2026-11-21T12:00:20Z,,,0,9.0,0.0,0.0
"""
    first, small = read(tmp_path, text).jobs
    assert (first.spec.workers, first.spec.shape.devices, first.life.work_s) == (6, 8, 7_200.0)
    assert (small.at_s, small.spec.workers, small.spec.shape.devices) == (10.0, 1, 3)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("tenant,run_s\n", 1, "column 'submitted_at' is missing"),
        (HEAD, 1, "no job has run"),
        (f"{HEAD}soon,alpha,100,1,1,,,,\n", 2, "'soon' is no time"),
        (f"{HEAD}0,alpha,5,1,1,,,,\nnan,alpha,5,1,1,,,,\n", 3, "'nan' is no time"),
        (f"{HEAD}inf,alpha,5,1,1,,,,\n", 2, "'inf' is no time"),
        (f"{HEAD}0,alpha,5,1,1,,,,\n1e9,alpha,5,1,1,,,,\n", 1, "more than 3,650 days from the first job to the last"),
        (f"{HEAD}0,alpha,-5,1,1,,,,\n", 2, "run_s is '-5'"),
        (f"{HEAD}0,alpha,nan,1,1,,,,\n", 2, "run_s is 'nan'"),
        (f"{HEAD}0,alpha,5,1,1,fst,,,\n", 2, "did you mean 'fast'"),
        (f"{HEAD}0,,5,1,1,,,,\n", 2, "cannot be a tenant"),
        (f"{HEAD}0,alpha,5,,,,,,\n", 2, "how many devices it had is not said"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(FileError) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'jobs.csv'}:{line}: ")
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_jobs(tmp_path / "none.csv", CHIPS)
