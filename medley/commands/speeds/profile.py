"""How long a layer of families' models takes on each chip type."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import App, Parameter

from medley.answers import Json
from medley.commands.connection import OutputOption, connected
from medley.commands.speeds.tables import profiles_table
from medley.exit_codes import ExitCode
from medley.screens.output import print_listing, talk

profile = App(name="profile", group_parameters="Options")

Tenant = Annotated[str, Parameter(help="Whose jobs they are.")]
Family = Annotated[str, Parameter(help="The jobs' field `family`, else their name without the number at its end.")]
Chip = Annotated[str, Parameter(help="The chip type.")]
Degree = Annotated[int, Parameter(help="How many devices share each layer.")]
Batch = Annotated[int, Parameter(help="Sequences of a micro-batch.")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """How long it takes for one micro-batch."""

    forward_s: Annotated[float, Parameter(help="Of a layer.")]
    backward_s: Annotated[float, Parameter(help="Of a layer, without recomputation.")]
    embedding_s: Annotated[float | None, Parameter(help="Forward and backward.")] = None
    head_s: Annotated[float | None, Parameter(help="Forward and backward, with the loss.")] = None
    update_s: Annotated[float | None, Parameter(help="The optimiser's step for one layer.")] = None

    @property
    def body(self) -> Json:
        """What the server is told."""
        ends = {"embedding_s": self.embedding_s, "head_s": self.head_s, "update_s": self.update_s}
        return {"layer_forward_s": self.forward_s, "layer_backward_s": self.backward_s, **ends}


@profile.default
@profile.command(name="ls")
def list_profiles(
    *,
    family: Annotated[str | None, Parameter(help="Of this family only.")] = None,
    output: OutputOption = "table",
) -> int:
    """List how long a layer takes for one micro-batch: what trainings on several chip types are planned with."""
    with connected() as client:
        found = [one for one in client.speeds.profiles() if family in (None, one["family"])]
    print_listing(output, found, "family", lambda: profiles_table(found))
    return ExitCode.OK


@profile.command(name="set")
def set_profile(
    tenant: Tenant,
    family: Family,
    chip: Chip,
    degree: Degree,
    batch: Batch,
    /,
    *,
    seconds: Seconds,
    output: OutputOption = "table",
) -> int:
    """Say how many seconds it takes, whatever is measured (operators)."""
    with connected() as client:
        said = client.speeds.set_profile((tenant, family), (chip, degree, batch), seconds.body)
    print_listing(output, [said], "family", lambda: profiles_table([said]))
    return ExitCode.OK


@profile.command(name="rm")
def remove_profile(tenant: Tenant, family: Family, chip: Chip, degree: Degree, batch: Batch, /) -> int:
    """Forget what was said and measured of it; it is learnt anew (operators)."""
    with connected() as client:
        client.speeds.remove_profile((tenant, family), (chip, degree, batch))
    talk(f"{tenant}/{family} on {degree} {chip} with a micro-batch of {batch}: forgotten")
    return ExitCode.OK
