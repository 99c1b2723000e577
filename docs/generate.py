"""Writes the pages of docs/ that follow from the code: `make docs`. A test compares what is there with it."""

from pathlib import Path

from scheduler.adapters.telemetry.gauges import GAUGES
from scheduler.adapters.telemetry.metrics import PrometheusTelemetry, described
from scheduler.core.lifecycle.diagram import state_diagram, stop_table, transition_table

DOCS = Path(__file__).parent

STATES = """# The life of a group

*Written by `make docs` from `scheduler/core/lifecycle`; do not edit.*

A job's groups move through these states. Devices are held exactly in the four middle ones: placed, starting, running
and stopping. What a state means stands at its name in `scheduler/core/model/group.py`.

```mermaid
{diagram}```

## Every state and every event

A name is the next state, an empty cell is late or repeated news without effect, and *illegal* is refused by the
journal. States in bold hold devices. A queued group is stopped only by cancelling; other stops have no effect on it.

{transitions}
## After a stop

A stopped attempt keeps its devices until its workers are proven gone. What follows then depends on why it was
stopped. A reason is only ever replaced by a stronger one; they stand here weakest first.

{stops}"""

METRICS = """# Metrics

*Written by `make docs` from `scheduler/adapters/telemetry`; do not edit.*

How to reach them is in [operating](operating.md#metrics-logs-and-traces). Those of the process itself, such as
`process_resident_memory_bytes`, are there as well. Tenants, chip types, clusters and loops are labels; jobs never are.

| metric | kind | labels | what |
|---|---|---|---|
{rows}"""


def metrics_table() -> str:
    """Return a row per metric, by name."""
    telemetry = PrometheusTelemetry("")
    rows = {gauge.name: ("gauge", gauge.labels, gauge.text) for gauge in GAUGES}
    rows |= {name: (kind, labels, text) for name, kind, labels, text in described(telemetry.registry)}
    return "".join(
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |\n"
        for name, (kind, labels, text) in sorted(rows.items())
    )


def pages() -> dict[Path, str]:
    """Return every generated page, by the file it belongs into."""
    states = STATES.format(diagram=state_diagram(), transitions=transition_table(), stops=stop_table())
    return {DOCS / "states.md": states, DOCS / "metrics.md": METRICS.format(rows=metrics_table())}


def main() -> None:
    """Write them all."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
