"""Queues, what they are due and may have, and who holds what share."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from cyclopts import App, Parameter

from medley.answers import Json
from medley.commands.connection import OutputOption, connected
from medley.errors import BadUsage
from medley.exit_codes import ExitCode
from medley.screens.output import print_json, print_listing, say, talk
from medley.sharing.tables import chip_groups_table, queue_quotas_table, queues_table, shares_legend, shares_table

queue = App(name="queue", group_parameters="Options")
NONE = "none"
Cap = Annotated[int | Literal["none"] | None, Parameter(help="`none` takes it away.")]
Figure = Annotated[int | Literal["none"] | None, Parameter(help="In devices, or units of compute; `none`: any.")]


@dataclass(frozen=True, slots=True)
class Caps:
    """What a queue takes, and lets run."""

    most_waiting: Cap = None
    most_running: Cap = None
    most_running_per_user: Cap = None
    highest_priority: Cap = None


NO_CAPS = Caps()


@queue.default
@queue.command(name="ls")
def list_queues(*, output: OutputOption = "table") -> int:
    """List queues, each beneath the one that it is in."""
    with connected() as client:
        found = client.sharing.queues()
    print_listing(output, found, "name", lambda: queues_table(found))
    return ExitCode.OK


@queue.command(name="set")
def set_queue(
    name: str,
    /,
    *,
    parent: Annotated[str | None, Parameter(help="The queue that it is in; `none`: at the top.")] = None,
    tenant: Annotated[str | None, Parameter(help="Whose jobs wait in it, of a new queue.")] = None,
    weight: Annotated[int | None, Parameter(help="Against its siblings, 1 to 1000.")] = None,
    caps: Annotated[Caps, Parameter(name="*")] = NO_CAPS,
    output: OutputOption = "table",
) -> int:
    """Add a queue, or change what is said of one; what is left out stays as it is."""
    said = {"tenant": tenant, "weight": weight, "parent": parent, **asdict(caps)}
    with connected() as client:
        present = next((one for one in client.sharing.queues() if one["name"] == name), {})
        made = client.sharing.set_queue(name, _without(present, "name") | _figures(said))
    where = f" in {made['parent']}" if made["parent"] else ""
    _print_made(made, output, f"queue {name}{where} has weight {made['weight']}")
    return ExitCode.OK


@queue.command(name="rm")
def remove_queue(name: str, /) -> int:
    """Remove a queue that no job and no other queue is in."""
    with connected() as client:
        client.sharing.remove_queue(name)
    say(f"queue {name} is gone")
    return ExitCode.OK


@queue.command(name="quota")
def show_or_set_quota(
    name: str,
    resource: Annotated[str | None, Parameter(help="A chip type, a group of them, or `compute`.")] = None,
    /,
    *,
    guaranteed: Annotated[int | None, Parameter(help="That it may take back from others.")] = None,
    limit: Figure = None,
    borrowing: Figure = None,
    lending: Figure = None,
    lift: Annotated[bool, Parameter(negative=(), help="Take away all that is said of the resource.")] = False,
    output: OutputOption = "table",
) -> int:
    """Show what a queue is due and may have, or say it of one resource; what is left out stays as it is."""
    said = _figures({"guaranteed": guaranteed, "limit": limit, "borrowing": borrowing, "lending": lending})
    if resource is None and (said or lift):
        raise BadUsage("say of which resource", next_step=f"medley queue quota {name} h100-sxm --guaranteed 8")
    if lift and said:
        raise BadUsage("--lift takes all figures away, and some are given", next_step="leave out one or the other")
    with connected() as client:
        found = client.sharing.quotas(name)
        if resource is None or not (said or lift):
            shown = [quota for quota in found if resource in (None, quota["resource"])]
            print_listing(output, shown, "resource", lambda: queue_quotas_table(shown, name))
            return ExitCode.OK
        if lift:
            client.sharing.lift_quota(name, resource)
            say(f"queue {name} has no quota of {resource} any more")
            return ExitCode.OK
        present = next((quota for quota in found if quota["resource"] == resource), {})
        made = client.sharing.set_quota(name, resource, _without(present, "queue", "resource") | said)
    if output == "table":
        print_listing(output, [made], "resource", lambda: queue_quotas_table([made], name))
    else:
        _print_made(made, output, "", key="resource")
    return ExitCode.OK


@queue.command(name="group")
def show_or_set_group(
    name: str | None = None,
    /,
    *chips: str,
    remove: Annotated[bool, Parameter(negative=(), help="Remove the group.")] = False,
    output: OutputOption = "table",
) -> int:
    """List the groups of chip types that quotas may count together, or say which are in one."""
    if remove and (name is None or chips):
        raise BadUsage("--remove takes the name of one group", next_step="medley queue group NAME --remove")
    with connected() as client:
        if name is not None and remove:
            client.sharing.remove_chip_group(name)
            say(f"group {name} is gone")
            return ExitCode.OK
        if name is not None and chips:
            made = client.sharing.set_chip_group(name, chips)
            _print_made(made, output, f"{', '.join(made['chips'])} count together as {name}")
            return ExitCode.OK
        found = [group for group in client.sharing.chip_groups() if name in (None, group["name"])]
    print_listing(output, found, "name", lambda: chip_groups_table(found))
    return ExitCode.OK


def share(*, output: OutputOption = "table") -> int:
    """Show what each queue is due by its weight, holds now, held lately and borrows, and which is next."""
    with connected() as client:
        found = client.sharing.shares()
    print_listing(output, found, "queue", lambda: shares_table(found))
    legend = shares_legend(found)
    if output == "table" and legend:
        talk(legend)
    return ExitCode.OK


def _without(present: Json, *names: str) -> Json:
    return {key: value for key, value in present.items() if key not in names}


def _figures(said: Json) -> Json:
    """Return what was said, `none` as nothing."""
    return {key: None if value == NONE else value for key, value in said.items() if value is not None}


def _print_made(made: Json, output: str, text: str, *, key: str = "name") -> None:
    if output == "json":
        print_json(made)
    else:
        say(made[key] if output == "name" else text)
