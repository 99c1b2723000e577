"""What there is to run on, and who holds it."""

from typing import Annotated

from cyclopts import App, Parameter

from medley.commands.connection import OutputOption, connected, explained
from medley.errors import ApiProblem
from medley.exit_codes import ExitCode
from medley.job_file import read_job_file
from medley.screens.capacity import capacity_line, chips_table, node_id, nodes_table, pools_table, tenants_use_table
from medley.screens.output import print_json, print_listing, print_table, say, talk

_LARGEST_PAGE = 200


def nodes(
    *,
    cluster: Annotated[str | None, Parameter(help="Only this cluster's.")] = None,
    chip: Annotated[str | None, Parameter(help="Only nodes with this chip type.")] = None,
    output: OutputOption = "table",
) -> int:
    """List nodes, what is free on them and who holds the rest."""
    with connected() as client:
        found = list(client.nodes(cluster=cluster, chip=chip, limit=_LARGEST_PAGE))
    print_listing(output, found, node_id, lambda: nodes_table(found))
    return ExitCode.OK


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


chips = App(name="chips")


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
    definition = read_job_file(file)
    with connected() as client:
        try:
            chip = client.define_chip(name, definition.job)
        except ApiProblem as problem:
            raise explained(problem, definition) from problem
    print_listing(output, [chip], "name", lambda: chips_table([chip]))
    return ExitCode.OK
