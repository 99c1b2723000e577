from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.deciding.preempting.candidates import Candidates, Claimant
from scheduler.core.model.sharing.eviction import EvictionCause
from tests.builders.core import make_job, make_node
from tests.builders.preempting import Contended

POOL = ("mixed", "h100")


def candidates(cluster: Contended, *, spared: str = "") -> Candidates:
    def may_stop(live: LiveAttempt) -> bool:
        return live.job.id != spared

    claimant = Claimant(EvictionCause.PRIORITY, lambda alike: alike.priority < 1, may_stop)
    return Candidates(cluster.state, claimant, cluster.now, restart_s=60)


def test_those_come_first_that_saved_themselves_last_and_waste_least() -> None:
    cluster = Contended(make_node("a"), make_node("b"))
    cluster.run(one := make_job(1), two := make_job(2), large := make_job(3, workers=8))
    cluster.wait(100)
    cluster.save(two)
    cluster.save(large)
    found = candidates(cluster)
    assert [live.job.id for live in found.by_loss(POOL, 8)] == [two.id, large.id, one.id]
    assert [live.job.id for live in found.by_loss(POOL, 1)] == [two.id, one.id, large.id]
    assert [round(found.loss(live, 1)) for live in found.by_loss(POOL, 1)] == [60, 160, 480]


def test_who_may_not_be_stopped_is_not_among_them() -> None:
    cluster = Contended(make_node("a"))
    cluster.run(one := make_job(1), two := make_job(2), make_job(3, priority=1))
    found = candidates(cluster, spared=one.id)
    assert [live.job.id for live in found.by_loss(POOL, 8)] == [two.id]
    assert [live.job.id for live in found.on_node("mixed/a")] == [two.id]
    assert found.looked_at == 2
