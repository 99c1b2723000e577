from dataclasses import replace

from scheduler.core.deciding.parts.naming import as_known
from tests.builders.core import make_group, make_job


def test_an_equal_group_is_named_by_the_strings_that_are_known() -> None:
    job = make_job()
    known = replace(make_group(job), job_id=job.id)
    read = replace(known, id="".join(known.id), job_id=f"{job.id[:3]}{job.id[3:]}", version=7)
    named = as_known(read, known, job)
    assert named == read
    assert named.id is known.id
    assert named.job_id is job.id
    assert as_known(named, known, job) is named
