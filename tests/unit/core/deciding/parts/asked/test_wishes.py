from dataclasses import replace

from scheduler.core.deciding.parts.asked.wishes import as_wished
from scheduler.core.model.change import JobRevised, ReplicasWished, StopWished
from scheduler.core.model.job import Wish
from tests.builders.core import make_job

JOB = make_job()


def test_a_wish_changes_what_it_is_about_and_nothing_else() -> None:
    assert as_wished(JOB, StopWished(JOB.id, "ada")) == replace(JOB, wish=Wish.STOP)
    assert as_wished(JOB, ReplicasWished(JOB.id, 3, "ada", ())) == replace(JOB, replicas=3)
    spec = replace(JOB.spec, grace_s=99)
    assert as_wished(JOB, JobRevised(JOB.id, spec, 2, "ada")) == replace(JOB, spec=spec, revision=2)
