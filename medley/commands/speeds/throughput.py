"""How fast families of jobs are on each chip type."""

from typing import Annotated

from cyclopts import App, Parameter

from medley.commands.connection import OutputOption, connected
from medley.commands.speeds.tables import throughputs_table
from medley.exit_codes import ExitCode
from medley.screens.output import print_listing, talk

throughput = App(name="throughput", group_parameters="Options")

Tenant = Annotated[str, Parameter(help="Whose jobs they are.")]
Family = Annotated[str, Parameter(help="The jobs' field `family`, else their name without the number at its end.")]
Chip = Annotated[str, Parameter(help="The chip type.")]


@throughput.default
@throughput.command(name="ls")
def list_throughputs(*, output: OutputOption = "table") -> int:
    """List how fast families of jobs are on one device of each chip type."""
    with connected() as client:
        found = client.speeds.throughputs()
    print_listing(output, found, "family", lambda: throughputs_table(found))
    return ExitCode.OK


@throughput.command(name="set")
def set_throughput(
    tenant: Tenant,
    family: Family,
    chip: Chip,
    units_per_s: Annotated[float, Parameter(help="What one device does in a second.")],
    /,
    *,
    output: OutputOption = "table",
) -> int:
    """Say how fast a family is on one device of a chip type, whatever is measured (operators)."""
    with connected() as client:
        said = client.speeds.set_throughput(tenant, family, chip, units_per_s)
    print_listing(output, [said], "family", lambda: throughputs_table([said]))
    return ExitCode.OK


@throughput.command(name="rm")
def remove_throughput(tenant: Tenant, family: Family, chip: Chip, /) -> int:
    """Forget what was said and measured of a family on a chip type; it is learnt anew (operators)."""
    with connected() as client:
        client.speeds.remove_throughput(tenant, family, chip)
    talk(f"{tenant}/{family} on {chip}: forgotten")
    return ExitCode.OK
