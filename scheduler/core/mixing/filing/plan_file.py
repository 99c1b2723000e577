"""The plan file: all that whoever runs a plan has to know, in one JSON object of a stated version."""

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.core.mixing.asked.problem import Runtime
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.filing.checking import check_plan
from scheduler.core.mixing.filing.groups import Groups, groups_of
from scheduler.core.mixing.filing.values import BadValue, Json, read, schema_of, written
from scheduler.core.mixing.plan import Plan

FORMAT = "medley-plan"
VERSION = 1
"""Grows with every change by which a reader of the version before would misread a file."""


class BadPlanFile(ValueError):
    """It is no plan file, or one that contradicts itself."""

    def __init__(self, pointer: str, what: str) -> None:
        """`pointer` is a JSON pointer to what is wrong, empty for the whole file."""
        super().__init__(f"{pointer or 'the plan file'} {what}")
        self.pointer = pointer
        self.what = what


class OtherVersion(BadPlanFile):
    """The plan file is of a version that is not read here."""

    def __init__(self, version: int) -> None:
        super().__init__("/version", f"is {version}, and plan files of version {VERSION} are read here: plan anew")
        self.version = version


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan with what it is for."""

    training: Training
    runtime: Runtime
    """What was supposed of it when the times were predicted."""
    plan: Plan
    why: str = ""
    """Why this plan and not the next best; empty where nothing was compared."""

    @property
    def document(self) -> Json:
        """It as a JSON object, with what follows from it: last layers, totals, groups of ranks."""
        plan, document = self.plan, written(self.plan)
        for number, (stage, groups) in enumerate(zip(plan.stages, groups_of(plan), strict=True)):
            entry = document["stages"][number]
            entry["last_layer"] = stage.first_layer + stage.layers - 1
            entry["memory"]["total"] = stage.memory.total
            entry["groups"] = written(groups)
        document["prediction"]["ideal_share"] = plan.prediction.ideal_share
        return {
            "format": FORMAT,
            "version": VERSION,
            "training": written(self.training),
            "runtime": written(self.runtime),
            "devices": plan.devices,
            **document,
            "why": self.why,
        }


def read_plan_file(document: object) -> PlanFile:
    """Return the plan of a file's JSON. Raises BadPlanFile, OtherVersion."""
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise BadPlanFile("", f'is no plan file: those are JSON objects with "format": "{FORMAT}"')
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise BadPlanFile("/version", "must be a whole number")
    if version != VERSION:
        raise OtherVersion(version)
    try:
        file = _read(document)
        check_plan(file.plan, file.training)
    except BadValue as error:
        raise BadPlanFile(error.pointer, error.what) from None
    if (different := _difference(file.document, document)) is not None:
        raise BadPlanFile(different, "does not follow from the rest of the file")
    return file


def _read(document: Mapping[str, object]) -> PlanFile:
    stated = {name: part for name, part in document.items() if name not in _AROUND}
    why = read(str, document.get("why", ""), "/why")
    if (pointer := next((f"/{name}" for name in ("training", "runtime") if name not in document), None)) is not None:
        raise BadValue(pointer, "is missing")
    return PlanFile(
        training=read(Training, document["training"], "/training"),
        runtime=read(Runtime, document["runtime"], "/runtime"),
        plan=read(Plan, _without_derived(stated)),
        why=why,
    )


_AROUND = frozenset({"format", "version", "training", "runtime", "devices", "why"})
"""What a file has beside the plan itself."""
_DERIVED = frozenset({"last_layer", "groups"})


def _without_derived(stated: Mapping[str, object]) -> Json:
    """Return a plan's part of a file without what follows from the rest of it; that is compared later."""
    plan = dict(stated)
    if isinstance(stages := plan.get("stages"), list):
        plan["stages"] = [_bare_stage(stage) if isinstance(stage, Mapping) else stage for stage in stages]
    if isinstance(prediction := plan.get("prediction"), Mapping):
        plan["prediction"] = {name: value for name, value in prediction.items() if name != "ideal_share"}
    return plan


def _bare_stage(stage: Mapping[str, object]) -> Json:
    bare = {name: value for name, value in stage.items() if name not in _DERIVED}
    if isinstance(memory := bare.get("memory"), Mapping):
        bare["memory"] = {name: value for name, value in memory.items() if name != "total"}
    return bare


def _difference(ours: object, theirs: object, pointer: str = "") -> str | None:
    """Return a pointer to the first thing that two JSON values do not have alike; None where they are equal."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        pairs = [(name, ours.get(name), theirs.get(name)) for name in theirs]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(str(place), one, other) for place, (one, other) in enumerate(zip(ours, theirs, strict=True))]
    else:
        return None if ours == theirs else pointer
    found = (_difference(one, other, f"{pointer}/{name}") for name, one, other in pairs)
    return next((one for one in found if one is not None), None)


def plan_schema() -> Json:
    """Return the JSON schema (2020-12) of plan files of this version."""
    plan = schema_of(Plan)
    parts = plan["properties"]
    stage = parts["stages"]["items"]
    _add(stage, "last_layer", {"type": "integer"})
    _add(stage, "groups", schema_of(Groups))
    _add(stage["properties"]["memory"], "total", {"type": "integer"})
    _add(parts["prediction"], "ideal_share", {"type": "number"})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Medley plan file",
        "description": "Which layers of a training run on which chips, and what is predicted of it. "
        "Times are in seconds, sizes in bytes, layers and ranks count from 0.",
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "training": schema_of(Training),
            "runtime": schema_of(Runtime),
            "devices": {"type": "integer"},
            **parts,
            "why": {"type": "string"},
        },
        "required": ["format", "version", "training", "runtime", "devices", *parts, "why"],
        "additionalProperties": False,
    }


def _add(schema: Json, name: str, of_it: Json) -> None:
    schema["properties"][name] = of_it
    schema["required"].append(name)
