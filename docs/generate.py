"""Writes the pages of docs/ that follow from the code: `make docs`. A test compares what is there with it."""

import ast
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import fill
from typing import Any

from fastapi.routing import APIRoute

from api.answers.job_schema import job_schema
from api.app import ROUTERS
from api.permissions import PERMISSIONS, Open, scope_of
from scheduler.adapters.telemetry.gauges import GAUGES, OF_THE_LEADER
from scheduler.adapters.telemetry.metrics import PrometheusTelemetry, described
from scheduler.core.lifecycle.diagram import state_diagram, stop_table, transition_table
from scheduler.core.mixing import plan
from scheduler.core.mixing.asked import problem, shape, training
from scheduler.core.mixing.filing import groups
from scheduler.core.mixing.filing.plan_file import plan_schema
from scheduler.core.model.tenant import Role, Scope

DOCS = Path(__file__).parent
CODE = ("scheduler", "api", "medley", "runtime")
"""The folders whose rooms have a page."""

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

Of several processes only the one that leads tells these, so that sums over processes count nothing twice:
{leaders}.

| metric | kind | labels | what |
|---|---|---|---|
{rows}"""


def leaders_metrics() -> str:
    """Return the names of the gauges that only the process that leads tells."""
    *names, last = (f"`{name}`" for name in sorted(OF_THE_LEADER))
    return fill(f"{', '.join(names)} and {last}", 119)


def metrics_table() -> str:
    """Return a row per metric, by name."""
    telemetry = PrometheusTelemetry("")
    rows = {gauge.name: ("gauge", gauge.labels, gauge.text) for gauge in GAUGES}
    rows |= {name: (kind, labels, text) for name, kind, labels, text in described(telemetry.registry)}
    return "".join(
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |\n"
        for name, (kind, labels, text) in sorted(rows.items())
    )


PERMISSIONS_PAGE = """# Who may call what

*Written by `make docs` from `api/permissions.py`; do not edit. Tests try every cell, with tokens, narrowed tokens and
sessions, and with another tenant's things.*

What the roles are, and how one gets a token, says [access](access.md).

## Routes and roles

`viewer`, `submitter` and `tenant-admin` belong to a tenant: another tenant's things are for them as unknown as what
never was (404). *any* scope: a narrowed token may say whose it is, and end.

{matrix}
## Scopes

{scopes}"""


ROOMS = """# Every room

*Written by `make docs` from what each package says of itself; do not edit.*

The large rooms, the rule by which a line of code finds its own, and which way imports may point are in the
[architecture](architecture.md#rooms). Here is each folder of code, with what it is for. The dashboard's own files,
which no Python reads, are in [contributing](contributing.md#the-dashboard).
{tables}"""


def room_tables() -> str:
    """Return a table for each of the large folders, with a row per package below it."""
    return "".join(
        f"\n## {folder}\n\n| room | what it is |\n|---|---|\n"
        + "".join(f"| `{room}` | {purpose} |\n" for room, purpose in _rooms_of(folder))
        for folder in CODE
    )


def _rooms_of(folder: str) -> Iterator[tuple[str, str]]:
    """Yield each package at or below a folder, with the first paragraph of its docstring in one line."""
    root = DOCS.parent
    packages = [path for path in (root / folder).rglob("__init__.py") if "build" not in path.relative_to(root).parts]
    for path in sorted(packages, key=lambda path: path.parent.parts):
        promise = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        yield path.parent.relative_to(root).as_posix(), " ".join(promise.split("\n\n")[0].split())


def pages() -> dict[Path, str]:
    """Return every generated page, and the schemas of job and plan files, by the file it belongs into."""
    permissions = PERMISSIONS_PAGE.format(scopes=scope_table(), matrix=permission_table())
    states = STATES.format(diagram=state_diagram(), transitions=transition_table(), stops=stop_table())
    return {
        DOCS / "job.schema.json": json.dumps(job_schema(), indent=2) + "\n",
        DOCS / "plan.schema.json": json.dumps(described_plan_schema(), indent=2) + "\n",
        DOCS / "states.md": states,
        DOCS / "permissions.md": permissions,
        DOCS / "rooms.md": ROOMS.format(tables=room_tables()),
        DOCS / "metrics.md": METRICS.format(rows=metrics_table(), leaders=leaders_metrics()),
    }


def described_plan_schema() -> dict[str, Any]:
    """Return the schema of plan files, with what the code says of each part."""
    schema = plan_schema()
    said: dict[str, dict[str, str]] = {}
    for module in (groups, plan, problem, shape, training):
        for found in ast.parse(Path(module.__file__ or "").read_text("utf-8")).body:
            if isinstance(found, ast.ClassDef):
                said[found.name] = dict(_attributes_of(found))
    _describe(schema, said)
    return schema


def _attributes_of(found: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield each attribute of a class that a text stands below, with that text."""
    for one, below in pairwise(found.body):
        text = below.value if isinstance(below, ast.Expr) else None
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(text, ast.Constant):
            yield one.target.id, " ".join(str(text.value).split())


def _describe(part: Any, said: dict[str, dict[str, str]]) -> None:
    """Add to each property of an object what its class says of it."""
    if not isinstance(part, dict):
        return
    if "description" in part:
        part["description"] = " ".join(str(part["description"]).split())
    of_class = said.get(str(part.get("title")), {})
    for name, inner in part.get("properties", {}).items():
        _describe(inner, said)
        if name in of_class:
            inner["description"] = of_class[name]
    for inner in (part.get("items"), *part.get("anyOf", ())):
        _describe(inner, said)


def permission_table() -> str:
    """Return who may call what, one route a line."""
    lines = [f"| route | scope | {' | '.join(Role)} |", f"|---|---|{'---|' * len(Role)}"]
    for route in _routes():
        access = PERMISSIONS[str(route.operation_id)]
        called = f"`{min(route.methods or ())} {route.path}`"
        if isinstance(access, Open):
            who = "anybody" if access is Open.PUBLIC else "workers"
            lines.append(f"| {called} | *{who}* |{' |' * len(Role)}")
        else:
            cells = " | ".join("yes" if role in access else "" for role in Role)
            lines.append(f"| {called} | {_scope(route) or '*any*'} | {cells} |")
    return "\n".join(lines) + "\n"


def scope_table() -> str:
    """Return what each scope opens."""
    lines = ["| scope | what it opens |", "|---|---|"]
    for scope in Scope:
        operations = sorted(str(route.operation_id) for route in _routes() if _scope(route) is scope)
        lines.append(f"| `{scope}` | {', '.join(operations)} |")
    return "\n".join(lines) + "\n"


def _routes() -> list[APIRoute]:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return sorted(routes, key=lambda route: (route.path, min(route.methods or ())))


def _scope(route: APIRoute) -> Scope | None:
    return scope_of(str(route.operation_id), [str(tag) for tag in route.tags], route.methods or ())


def main() -> None:
    """Write them all."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
