"""Whether the scheduler is as it should be."""

from medley.commands.connection import OutputOption, connected
from medley.exit_codes import ExitCode
from medley.screens.output import print_json, say, talk
from medley.screens.safe_text import one_line


def check(*, output: OutputOption = "table") -> int:
    """Compare what the server decides on with its database, and the database with itself (operators)."""
    with connected() as client:
        found = client.check_scheduler()
    if output == "json":
        print_json(found)
    elif output == "name":
        say("ok" if found["is_ok"] else "faulty")
    else:
        say(one_line(found["text"]))
        for fault in (*found["differences"], *found["capacity_errors"]):
            say(f"  - {one_line(fault)}")
        if found["next"]:
            talk(f"next: {one_line(found['next'])}")
        talk(f"(memory {found['digest_in_memory'][:12]}, database {found['digest_of_database'][:12]})")
    return ExitCode.OK if found["is_ok"] else ExitCode.FAILED
