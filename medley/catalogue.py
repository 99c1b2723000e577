"""Every command, with where it lives and one line about it. Reading this loads none of them."""

from dataclasses import dataclass

from medley.exit_codes import MEANINGS

STANDARD_INPUT = "/dev/stdin"
"""What a lone `-` becomes before it reaches a command: the parser would take it for an option."""
_NAME_WIDTH = 16


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `target` is `module:attribute`, loaded only when it is called."""

    name: str
    target: str
    summary: str


SECTIONS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "Jobs",
        (
            Command("init", "medley.setting_up.first_job:init", "Write a first job file that runs as it is."),
            Command("submit", "medley.commands.submit:submit", "Submit a job file; --follow it or --wait for its end."),
            Command("follow", "medley.commands.submit:follow", "Watch a job: placement, progress, logs, result."),
            Command("ls", "medley.commands.jobs:ls", "List jobs, newest first."),
            Command(
                "show", "medley.commands.jobs:show", "Show one job: state, reasons, where its workers run and why."
            ),
            Command("why", "medley.commands.jobs:why", "Say why a job waits and what would help."),
            Command(
                "estimate", "medley.commands.submit:estimate", "Say when a job, or a job file, is expected to start."
            ),
            Command("logs", "medley.commands.streams:logs", "Print what a job's workers print; -f follows."),
            Command("events", "medley.commands.streams:events", "Print what happened to a job or to all; -f follows."),
            Command("wait", "medley.commands.jobs:wait", "Wait for a job's end."),
            Command("cancel", "medley.commands.changes.jobs:cancel", "Cancel jobs: by name, by label, or all."),
            Command("priority", "medley.commands.changes.jobs:priority", "Give a job another priority."),
            Command("clone", "medley.commands.changes.jobs:clone", "Submit a job again, with some fields otherwise."),
            Command(
                "replicas", "medley.commands.serving.replicas:replicas", "List a server's replicas and their addresses."
            ),
            Command(
                "replace",
                "medley.commands.serving.replicas:replace",
                "Give a server a new version, replica by replica.",
            ),
            Command(
                "scale",
                "medley.commands.serving.replicas:scale",
                "Give a server more or fewer replicas, an elastic job workers.",
            ),
            Command("history", "medley.commands.usage:history", "List the jobs that are over, and what they used."),
        ),
    ),
    (
        "Capacity",
        (
            Command(
                "nodes", "medley.commands.capacity:nodes", "List nodes, what is free on them and who holds the rest."
            ),
            Command(
                "throughput",
                "medley.commands.speeds.throughput:throughput",
                "List how fast families of jobs are on each chip type; set or rm one.",
            ),
            Command(
                "profile",
                "medley.commands.speeds.profile:profile",
                "List how long layers of models take on each chip type; set or rm one.",
            ),
            Command("drain", "medley.commands.capacity:drain", "Let nodes take nothing new; what they run goes on."),
            Command("undrain", "medley.commands.capacity:undrain", "Let drained nodes take new work again."),
            Command(
                "pools", "medley.commands.capacity:pools", "List pools: nodes alike in chip type, memory and size."
            ),
            Command(
                "clusters", "medley.commands.capacity:clusters", "List clusters, or check what works on each of them."
            ),
            Command("chips", "medley.commands.capacity:chips", "List the chip catalogue, or define a chip type in it."),
            Command("top", "medley.live.top:top", "Show jobs and capacity on a screen that keeps itself up to date."),
            Command("utilisation", "medley.commands.capacity:utilisation", "Show who holds how many devices now."),
            Command(
                "usage", "medley.commands.usage:usage", "Account for chip-hours by tenant, user, chip type or day."
            ),
            Command(
                "whatif",
                "medley.commands.planning.whatif:whatif",
                "Say what would follow from drained or added nodes, other quotas, or a job.",
            ),
            Command(
                "plan", "medley.commands.planning.plan:plan", "Plan a training over several chip types; submit nothing."
            ),
            Command(
                "simulate", "medley.commands.planning.simulate:simulate", "Simulate a cluster: what if there were more?"
            ),
        ),
    ),
    (
        "Access",
        (
            Command("login", "medley.commands.session:login", "Log in: in a browser, or with a token."),
            Command("logout", "medley.commands.session:logout", "Forget address and token."),
            Command(
                "context", "medley.setting_up.contexts:context", "List, choose or forget logins to several servers."
            ),
            Command("whoami", "medley.commands.session:whoami", "Say whose token is in use and what it may do."),
            Command("tenants", "medley.commands.access:tenants", "List or create tenants."),
            Command("users", "medley.commands.access:users", "List, create, change or disable users."),
            Command("tokens", "medley.commands.tokens:tokens", "List, create, rotate or revoke tokens."),
            Command("audit", "medley.commands.audit:audit", "List who changed what; check that the trail is whole."),
            Command("quota", "medley.commands.access:quota", "Show, set or lift a tenant's limits."),
            Command("queue", "medley.sharing.commands:queue", "List or change queues, and what they are due."),
            Command("share", "medley.sharing.commands:share", "Show what each queue is due, and what it holds."),
        ),
    ),
    (
        "Server",
        (
            Command(
                "serve", "medley.commands.processes:serve", "Run Medley: API and scheduler, local or on Kubernetes."
            ),
            Command("check", "medley.commands.scheduler:check", "Say whether the server decides on what is stored."),
            Command("migrate", "medley.commands.processes:migrate", "Bring the database's schema up to date."),
            Command(
                "operator-token",
                "medley.commands.processes:operator_token",
                "Make a new operator token where the first was lost.",
            ),
            Command(
                "completion", "medley.setting_up.completion:completion", "Print what makes a shell complete commands."
            ),
            Command("version", "medley.commands.session:version", "Print the versions of this command and the server."),
        ),
    ),
)


def help_text() -> str:
    """Return what `medley --help` prints."""
    lines = [
        "Medley runs training and inference jobs on clusters that mix accelerators of many vendors.",
        "",
        "usage: medley COMMAND [OPTIONS]      medley COMMAND --help explains a command",
    ]
    for title, commands in SECTIONS:
        lines += ["", f"{title}:", *(f"  {command.name:<{_NAME_WIDTH}}{command.summary}" for command in commands)]
    lines += [
        "",
        "JOB is a job's id, or its name: then the newest job of that name is meant.",
        "Most commands take -o json or yaml (the API's answer), wide (all columns) or name (for scripts); data goes to",
        "stdout, talk to stderr.",
        "",
        "Environment: MEDLEY_ADDRESS and MEDLEY_TOKEN win over `medley login`; MEDLEY_CONFIG is where that is kept;",
        "MEDLEY_CONTEXT is the one of several logins to use; NO_COLOR turns colour off.",
        "",
        "Exit codes:",
        *(f"  {code:<{_NAME_WIDTH}d}{meaning}" for code, meaning in MEANINGS.items()),
    ]
    return "\n".join(lines)
