"""Which chips would train a model best, and how fast: asked of the server, which keeps and submits nothing."""

import json
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from medley.answers import Json
from medley.commands.connection import OutputOption, connected, explained
from medley.errors import ApiProblem, BadUsage
from medley.exit_codes import ExitCode
from medley.file_kinds import PLAN_REQUEST_FILE
from medley.screens.output import print_json, say, talk
from medley.screens.plans.picture import picture
from medley.screens.plans.whole import print_plans
from medley.yaml_file import YamlFile, read_yaml_file

_AS_FIRST = 1
_FAILED = "failed"


def plan(
    file: Annotated[str, Parameter(help="A file with a model and a batch; `-` is stdin.")],
    /,
    *,
    number: Annotated[int, Parameter(help="Which of the plans is drawn and saved; 1 is the best.")] = _AS_FIRST,
    save: Annotated[Path | None, Parameter(help="Write the plan file (JSON) here.")] = None,
    svg: Annotated[Path | None, Parameter(help="Write a picture of the plan here.")] = None,
    flags: Annotated[
        Literal["megatron", "flagscale"] | None, Parameter(help="Print the plan as options of that program, no more.")
    ] = None,
    earlier: Annotated[
        Path | None, Parameter(help="A plan file of before: it is predicted anew for what is free now.")
    ] = None,
    tried: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            help="PLAN.json=SECONDS, a plan that was run and what a step took, or PLAN.json=failed; may be repeated.",
        ),
    ] = (),
    output: OutputOption = "table",
) -> int:
    """Plan a training over several chip types, on what is free now. Nothing is submitted."""
    asked = read_yaml_file(file, PLAN_REQUEST_FILE)
    body = dict(asked.fields) | ({} if earlier is None else {"earlier": _plan_file(earlier)})
    body |= {"tried": [_run(said) for said in tried]} if tried else {}
    found = _found(body, asked)
    if not found["plans"]:
        _print_none(found, output)
        return ExitCode.FAILED
    if not 1 <= number <= len(found["plans"]):
        count = len(found["plans"])
        raise BadUsage(f"there is no plan {number}: {count} {'was' if count == 1 else 'were'} found")
    chosen = found["plans"][number - 1]
    if save is not None:
        save.write_text(json.dumps(chosen["plan"], indent=2) + "\n", encoding="utf-8")
    if svg is not None:
        svg.write_text(picture(chosen, _title(body, chosen)), encoding="utf-8")
    if flags is not None:
        return _print_flags(chosen[flags], flags)
    if output == "name":
        say("\n".join(dict.fromkeys(stage["chip"] for stage in chosen["plan"]["stages"])))
    elif output == "json":
        print_json(found)
    else:
        print_plans(found, number, has_earlier=earlier is not None)
    return ExitCode.OK


def _found(body: Json, asked: YamlFile) -> Json:
    with connected() as client:
        try:
            return client.sharing.plan(body)
        except ApiProblem as problem:
            raise explained(problem, asked) from problem


def _print_none(found: Json, output: str) -> None:
    if output == "json":
        print_json(found)
    else:
        say(found["text"])


def _print_flags(found: Json, program: str) -> int:
    """Print the options one a line, as a shell takes them after a backslash; why there are none is talk."""
    for remark in found["remarks"]:
        talk(f"note: {remark}")
    if found["hindrances"]:
        for hindrance in found["hindrances"]:
            talk(f"{program} cannot follow this plan: {hindrance}")
        return ExitCode.FAILED
    lines: list[list[str]] = []
    for argument in found["arguments"]:
        if argument.startswith("--"):
            lines.append([argument])
        else:
            lines[-1].append(_quoted(argument))
    say(" \\\n".join(" ".join(line) for line in lines))
    return ExitCode.OK


def _quoted(argument: str) -> str:
    """Return an argument for a shell; variables in it are meant."""
    return argument if argument.replace("-", "").replace(".", "").isalnum() else f'"{argument}"'


def _title(body: Json, chosen: Json) -> str:
    training = chosen["plan"]["training"]
    name = body.get("name") or training["shape"]["name"]
    return f"{name}, batch {training['global_batch']:,}, sequence {training['sequence']:,}"


def _run(said: str) -> Json:
    """Return a run as the API takes it."""
    path, _, step = said.rpartition("=")
    try:
        step_s = None if step == _FAILED else float(step)
    except ValueError:
        step_s = 0.0
    if not path or (step_s is not None and not 0 < step_s < inf):
        raise BadUsage(f"{said} is no run", next_step=f"write PLAN.json=SECONDS, or PLAN.json={_FAILED}")
    return {"plan": _plan_file(Path(path)), "step_s": step_s}


def _plan_file(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadUsage(
            f"{path} is no plan file: it is not JSON", next_step="medley plan FILE --save plan.json"
        ) from error
