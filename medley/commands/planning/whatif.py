"""What would follow if something were otherwise: asked of the server, which changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from medley.answers import Json
from medley.client import Client
from medley.commands.connection import OutputOption, connected, explained
from medley.errors import ApiProblem, BadUsage
from medley.exit_codes import ExitCode
from medley.file_kinds import JOB_FILE
from medley.screens.output import print_json, say
from medley.screens.waiting.suppositions import print_job_what_ifs, print_what_if
from medley.yaml_file import YamlFile, read_yaml_file


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Which nodes there would be fewer or more of."""

    drain: Annotated[
        tuple[str, ...], Parameter(negative="", show_default=False, help="A node that takes nothing new; repeatable.")
    ] = ()
    drain_like: Annotated[str | None, Parameter(help="Drain the nodes of a pool, or with a chip type.")] = None
    drain_where: Annotated[
        str | None, Parameter(help="Drain the nodes in a domain, such as rack=r1, or with a label.")
    ] = None
    count: Annotated[int | None, Parameter(help="Drain so many of those, the emptiest first.")] = None
    runs_on: Annotated[
        bool, Parameter(negative="", show_default=False, help="What drained nodes run may end; else it has to go.")
    ] = False
    add: Annotated[int | None, Parameter(help="So many nodes more (with --like).")] = None
    like: Annotated[str | None, Parameter(help="What added nodes are like: a pool or a chip type.")] = None
    cluster: Annotated[str | None, Parameter(help="The cluster of added nodes; where most of those are.")] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What queues would be due and may have."""

    quota: Annotated[str | None, Parameter(help="Of QUEUE/RESOURCE: what is left out stays as it is.")] = None
    guaranteed: Annotated[int | None, Parameter(help="That it may take back (with --quota).")] = None
    limit: Annotated[int | None, Parameter(help="It never holds more (with --quota).")] = None
    borrowing: Annotated[int | None, Parameter(help="At most so much above its own (with --quota).")] = None
    lending: Annotated[int | None, Parameter(help="At most so much of its own for others (with --quota).")] = None
    weight: Annotated[
        tuple[str, ...], Parameter(negative="", show_default=False, help="QUEUE=WEIGHT; repeatable.")
    ] = ()


_AS_THEY_ARE, _AS_IT_IS = Nodes(), Sharing()


def whatif(
    job_file: Annotated[str | None, Parameter(help="A job file that would be submitted then; `-` is stdin.")] = None,
    /,
    nodes: Nodes = _AS_THEY_ARE,
    sharing: Sharing = _AS_IT_IS,
    *,
    tenant: Annotated[str | None, Parameter(help="Whose the job would be (operators).")] = None,
    output: OutputOption = "table",
) -> int:
    """Say what would follow if nodes were drained or added, quotas others, or a job came. Nothing is changed."""
    if tenant is not None and job_file is None:
        raise BadUsage("--tenant is whose the job would be", next_step="medley whatif job.yaml --tenant demo")
    file = None if job_file is None else read_yaml_file(job_file, JOB_FILE)
    _check(nodes, sharing)
    with connected() as client:
        supposed = _supposed(client, nodes, sharing)
        if file is None and not supposed:
            raise BadUsage("nothing is supposed", next_step="medley whatif job.yaml, or medley whatif --drain NODE")
        if file is not None and not supposed and tenant is None:
            return _about_a_job(client, file, output)
        if file is not None:
            supposed |= {"job": dict(file.fields), "tenant": tenant or client.whoami()["tenant"]}
        found = client.sharing.what_if({key: value for key, value in supposed.items() if value is not None})
    if output in ("table", "wide"):
        print_what_if(found)
    elif output == "name":
        say("\n".join(one["job"] for one in (*found["leaving"], *found["shrinking"], *found["starting"])))
    else:
        print_json(found)
    return ExitCode.OK


def _about_a_job(client: Client, file: YamlFile, output: str) -> int:
    try:
        found = client.sharing.what_if_job(file.fields)
    except ApiProblem as problem:
        raise explained(problem, file) from problem
    if output in ("table", "wide"):
        print_job_what_ifs(found["job"], found["others"])
    elif output == "name":
        say(found["job"]["outcome"])
    else:
        print_json(found)
    return ExitCode.FAILED if found["job"]["outcome"] == "refused" else ExitCode.OK


def _check(nodes: Nodes, sharing: Sharing) -> None:
    """Raise BadUsage where options lack those that they need."""
    if nodes.add is not None and nodes.like is None:
        raise BadUsage("--add needs --like", next_step="medley whatif --add 8 --like h100-sxm")
    if nodes.add is None and (nodes.like is not None or nodes.cluster is not None):
        raise BadUsage(
            "--like and --cluster are of added nodes", next_step="say how many by --add, or use --drain-like"
        )
    if nodes.count is not None and not (nodes.drain_like or nodes.drain_where):
        raise BadUsage("--count needs --drain-like or --drain-where")
    if nodes.runs_on and not (nodes.drain or nodes.drain_like or nodes.drain_where):
        raise BadUsage("--runs-on is of drained nodes", next_step="say which by --drain, --drain-like or --drain-where")
    if sharing.quota is None and _figures(sharing):
        raise BadUsage(
            "figures of a quota need --quota", next_step="medley whatif --quota demo/h100-sxm --guaranteed 8"
        )


def _figures(sharing: Sharing) -> dict[str, int]:
    said = {name: getattr(sharing, name) for name in ("guaranteed", "limit", "borrowing", "lending")}
    return {name: figure for name, figure in said.items() if figure is not None}


def _supposed(client: Client, nodes: Nodes, sharing: Sharing) -> dict[str, Any]:
    """Return the body of the question, without its job."""
    drains: list[Json] = []
    if nodes.drain:
        drains.append({"nodes": list(nodes.drain), "runs_on": nodes.runs_on})
    if nodes.drain_like or nodes.drain_where:
        described = {"like": nodes.drain_like, "where": nodes.drain_where, "count": nodes.count}
        drains.append({**described, "runs_on": nodes.runs_on})
    adds = [{"like": nodes.like, "count": nodes.add, "cluster": nodes.cluster}] if nodes.add is not None else []
    quotas = [_quota(client, sharing)] if sharing.quota is not None else []
    parts = {"drain": drains, "add": adds, "quotas": quotas, "weights": _weights(sharing.weight)}
    return {name: ones for name, ones in parts.items() if ones}


def _quota(client: Client, sharing: Sharing) -> Json:
    """Return the quota as it would be: what is left out is as it is now."""
    queue, _, resource = (sharing.quota or "").partition("/")
    said = _figures(sharing)
    if not queue or not resource or not said:
        example = "medley whatif --quota demo/h100-sxm --guaranteed 8"
        raise BadUsage("--quota takes QUEUE/RESOURCE, and needs a figure", next_step=example)
    known = client.sharing.quotas(queue)
    present = next((one for one in known if one["resource"] == resource), {})
    return {**present, "queue": queue, "resource": resource, **said}


def _weights(said: Sequence[str]) -> list[Json]:
    found: list[Json] = []
    for one in said:
        queue, _, weight = one.partition("=")
        if not queue or not weight.isdecimal():
            raise BadUsage(f"--weight takes QUEUE=WEIGHT, and not {one!r}")
        found.append({"queue": queue, "weight": int(weight)})
    return found
