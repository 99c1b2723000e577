"""What there is to run on, and who holds it."""

import re
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Parameter

from medley.client import Client
from medley.commands.connection import (
    OutputOption,
    connected,
    explained,
    filters_text,
    unknown_chip,
    unknown_cluster,
)
from medley.errors import ApiProblem, BadUsage, NotFound
from medley.exit_codes import ExitCode
from medley.file_kinds import CHIP_FILE
from medley.screens.capacity import (
    advice,
    busy_line,
    capacity_line,
    chips_table,
    clusters_table,
    findings_table,
    node_id,
    nodes_table,
    pools_table,
    tenants_use_table,
)
from medley.screens.output import print_json, print_listing, print_table, say, talk
from medley.yaml_file import read_yaml_file

_LARGEST_PAGE = 200
_MOST_NAMED = 100
_NODE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}/[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_CHIP_NAME = re.compile(r"(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def nodes(
    *,
    cluster: Annotated[str | None, Parameter(help="Only this cluster's.")] = None,
    chip: Annotated[str | None, Parameter(help="Only nodes with this chip type.")] = None,
    output: OutputOption = "table",
) -> int:
    """List nodes, what is free on them and who holds the rest."""
    with connected() as client:
        found = list(client.nodes(cluster=cluster, chip=chip, limit=_LARGEST_PAGE))
        given = filters_text({"cluster": cluster, "chip": chip})
        if output == "table" and given and not found:
            talk(f"no node is found by {given}{unknown_chip(client, chip)}{unknown_cluster(client, cluster)}")
            return ExitCode.OK
    print_listing(output, found, node_id, lambda: nodes_table(found))
    return ExitCode.OK


NodeArguments = Annotated[
    str,
    Parameter(help="Nodes, CLUSTER/NAME, or NAME where one cluster alone has it."),
]


def drain(
    *nodes: NodeArguments,
    note: Annotated[str, Parameter(help="Why, for others to read.")] = "",
    output: OutputOption = "table",
) -> int:
    """Let nodes take nothing new; what they run goes on (operators)."""
    with connected() as client:
        found = [client.drain(node, note) for node in _node_ids(client, nodes)]
    print_listing(output, found, node_id, lambda: nodes_table(found))
    if output == "table":
        talk(f"{busy_line(found)}; next: medley undrain {' '.join(map(node_id, found))}")
    return ExitCode.OK


def undrain(*nodes: NodeArguments, output: OutputOption = "table") -> int:
    """Let drained nodes take new work again (operators)."""
    with connected() as client:
        found = [client.undrain(node) for node in _node_ids(client, nodes)]
    print_listing(output, found, node_id, lambda: nodes_table(found))
    if output == "table":
        for node in found:
            if node["state"] not in ("ready", "degraded"):
                talk(f"{node_id(node)} is {node['state']} all the same: its cluster says so")
    return ExitCode.OK


def _node_ids(client: Client, names: Sequence[str]) -> list[str]:
    """Return the ids of nodes that are there. Raises NotFound, BadUsage (a name that several clusters have)."""
    if not names:
        raise BadUsage("no node is named", next_step="medley nodes lists them")
    clusters = [cluster["name"] for cluster in client.clusters()] if any("/" not in name for name in names) else []
    asked = [(name, [name] if "/" in name else [f"{cluster}/{name}" for cluster in clusters]) for name in names]
    wanted = [one for _, candidates in asked for one in candidates if _NODE_ID.fullmatch(one)]
    known: set[str] = set()
    for first in range(0, len(wanted), _MOST_NAMED):
        known |= set(map(node_id, client.nodes(node=wanted[first : first + _MOST_NAMED], limit=_LARGEST_PAGE)))
    return [_one_of(name, [one for one in candidates if one in known]) for name, candidates in asked]


def _one_of(name: str, found: Sequence[str]) -> str:
    if not found:
        raise NotFound(f"there is no node `{name}`", next_step="medley nodes lists them")
    if len(found) > 1:
        raise BadUsage(f"several clusters have a node `{name}`", next_step=f"say which: {', '.join(found)}")
    return found[0]


def pools(*, output: OutputOption = "table") -> int:
    """List pools: the nodes of one cluster that are alike in chip type, device memory and device count."""
    with connected() as client:
        found = client.pools()
    print_listing(output, found, "name", lambda: pools_table(found))
    return ExitCode.OK


def utilisation(*, output: OutputOption = "table") -> int:
    """Show who holds how many devices now, and how many they may."""
    with connected() as client:
        found = client.utilisation()
    if output == "json":
        print_json(found)
    elif output == "name":
        for pool in found["pools"]:
            say(pool["name"])
    else:
        print_table(pools_table(found["pools"]))
        say(f"\n{capacity_line(found['pools'])}\n")
        print_table(tenants_use_table(found["tenants"]))
    return ExitCode.OK


clusters = App(name="clusters", group_parameters="Options")


@clusters.default
def list_clusters(*, output: OutputOption = "table") -> int:
    """List the clusters that Medley drives."""
    with connected() as client:
        found = client.clusters()
    print_listing(output, found, "name", lambda: clusters_table(found))
    return ExitCode.OK


@clusters.command(name="check")
def check_clusters(
    name: Annotated[str | None, Parameter(help="Only this cluster.")] = None, /, *, output: OutputOption = "table"
) -> int:
    """Say what works on each cluster, and which permission on which resource is missing (operators)."""
    with connected() as client:
        names = [cluster["name"] for cluster in client.clusters()] if name is None else [name]
        checks = [client.check_cluster(one) for one in names]
    print_listing(output, checks, "cluster", lambda: findings_table(checks))
    if output == "table":
        for line in advice(checks):
            talk(line)
    return ExitCode.OK if all(check["is_ok"] for check in checks) else ExitCode.FAILED


chips = App(name="chips", group_parameters="Options")


@chips.default
def list_chips(*, output: OutputOption = "table") -> int:
    """List the chip catalogue."""
    with connected() as client:
        found = client.chips()
    print_listing(output, found, "name", lambda: chips_table(found))
    if output == "table" and found:
        talk("~ marks an estimate; TFLOPS are dense BF16, measured where no ~ stands")
    return ExitCode.OK


@chips.command(name="define")
def define_chip(
    name: Annotated[str, Parameter(help="The name that job files use.")],
    file: Annotated[str, Parameter(help="YAML file with vendor, model and figures, or `-` for stdin.")],
    /,
    *,
    output: OutputOption = "table",
) -> int:
    """Add a chip type to the catalogue or change it (operators)."""
    if not _CHIP_NAME.fullmatch(name):
        raise BadUsage(
            f"`{name}` cannot be the name of a chip type: it must have lower-case letters, digits and dashes only, "
            "begin and end with a letter or digit, and have at most 63 of them",
            next_step="choose a name such as h100-sxm",
        )
    definition = read_yaml_file(file, CHIP_FILE)
    with connected() as client:
        try:
            chip = client.define_chip(name, definition.fields)
        except ApiProblem as problem:
            raise explained(problem, definition) from problem
    print_listing(output, [chip], "name", lambda: chips_table([chip]))
    return ExitCode.OK
