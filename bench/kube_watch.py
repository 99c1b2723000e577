"""How many events of a watch are taken in per second, and how late each is at a steady 500 per second.

Events come over HTTP from a server with prepared answers. Speed is read in turn by our reflector and by the official
client's Watch with typed objects. Lateness is read at the same time by our reflector and by a bare reader, each with a
connection of its own, from the moment of sending that stands in each object.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.kubernetes.children import Child
from bench.kubernetes.prepared import prepared_server
from bench.report import Limit, Measurement
from bench.spread import percentile

READ_LIMIT_S = 300.0
NODES = 500
READERS = "bench.kubernetes.readers"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    pods: int = 1_000
    events: int = 10_000
    """That our reflector reads in a turn; of them so many are also read late, one after another."""
    models_events: int = 3_000
    turns: int = 3
    per_second: float = 500.0


@dataclass(frozen=True, slots=True)
class Late:
    """How late events were, in milliseconds."""

    ours: Sequence[float]
    bare: Sequence[float]


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    ours: list[float] = []
    models: list[float] = []
    with prepared_server(pods=size.pods, nodes=NODES, events=size.events) as (server, kubeconfig):
        server.ask({"watch": "burst"}, within_s=READ_LIMIT_S)
        for turn in range(size.turns):
            for rates, reader, events in (
                (ours, "watch_by_reflector", size.events),
                (models, "watch_by_models", size.models_events),
            ):
                with Child(READERS) as child:
                    asked = {"kubeconfig": str(kubeconfig), "events": events}
                    found = child.ask({reader: asked}, within_s=READ_LIMIT_S)
                rates.append(found["events"] / found["seconds"])
            say(
                f"kube_watch: turn {turn + 1} of {size.turns}: {ours[-1]:,.0f} events per second, "
                f"by models {models[-1]:,.0f}"
            )
        late = _lateness(server, kubeconfig, size)
    return judged(ours, models, late)


def judged(ours: Sequence[float], models: Sequence[float], late: Late) -> Measurement:
    """Return what was read, from events per second and lateness."""
    figures = {
        "events_ratio": median(ours) / median(models),
        "extra_lag_p99_ms": percentile(late.ours, 99) - percentile(late.bare, 99),
        "events_per_s": median(ours),
        "lag_p50_ms": percentile(late.ours, 50),
        "lag_p99_ms": percentile(late.ours, 99),
        "lag_events": float(len(late.ours)),
    }
    calibrators = {
        "models_events_per_s": median(models),
        "bare_lag_p50_ms": percentile(late.bare, 50),
        "bare_lag_p99_ms": percentile(late.bare, 99),
        "unit_ns": unit_ns(),
    }
    goals = (Limit("events_ratio", ">=", 5.0), Limit("extra_lag_p99_ms", "<=", 50.0))
    return Measurement(figures, calibrators, goals=goals)


def _lateness(server: Child, kubeconfig: Path, size: Size) -> Late:
    say(f"kube_watch: {size.events} events, {size.per_second:g} per second")
    server.ask({"watch": "paced"}, within_s=READ_LIMIT_S)
    asked = {"kubeconfig": str(kubeconfig), "events": size.events}
    with Child(READERS) as reflector, Child(READERS) as bare:
        reflector.tell({"lag_by_reflector": asked})
        bare.tell({"lag_by_bare_reader": asked})
        server.ask({"pace": {"readers": 2, "per_second": size.per_second}}, within_s=READ_LIMIT_S)
        found = [child.answer(within_s=READ_LIMIT_S)["lags_ms"] for child in (reflector, bare)]
    assert all(len(lags) == size.events for lags in found), [len(lags) for lags in found]
    return Late(*found)
