"""The one table of what can go wrong with a pod: whose end it makes, and after which patience."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from scheduler.adapters.kubernetes.configuration.cluster import Deadlines
from scheduler.adapters.kubernetes.views import Condition, ContainerView, PodView
from scheduler.core.model.attempt import WorkerEnd

LONGEST_DETAIL = 500
_UNTOLD = ("", "Error", "Completed")
"""Reasons of an ended container that say no more than its exit code."""
_SIGNALS_FROM = 128
_LAST_SIGNAL = 64


class Where(StrEnum):
    """Where a pod says what is wrong with it."""

    POD = "pod"
    """The reason of a failed pod."""
    CONDITION = "condition"
    """The type of a condition that is true."""
    CONTAINER = "container"
    """The reason of its ended container."""
    WAITING = "waiting"
    """The reason why its container does not start."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a reason means. The first rule that fits counts."""

    where: Where
    reasons: tuple[str, ...]
    """With `*` for anything."""
    end: WorkerEnd
    says: str = ""
    """Where not empty: only if the message matches this pattern."""
    strikes_node: bool = False
    """The node should have been able to, and is held against it."""
    patience: str = ""
    """With WAITING: the deadline of the configuration after which nothing is hoped for; empty for none."""

    def fits(self, where: Where, reason: str, message: str) -> bool:
        """Say whether the rule is about this."""
        return (
            where is self.where
            and any(fnmatchcase(reason, pattern) for pattern in self.reasons)
            and (not self.says or re.search(self.says, message) is not None)
        )

    def patience_s(self, deadlines: Deadlines) -> int:
        """Return how long to hope, in seconds."""
        return getattr(deadlines, self.patience) if self.patience else 0


_THE_COMMANDS_FAULT = (
    r"(?i)executable file not found|no such file or directory|permission denied|exec format error"
    r"|no command specified|is a directory"
)
_NO_PYTHON = re.compile(r"(?i)python3\"?: (executable file not found|no such file or directory)")
_OVER_ITS_OWN_LIMIT = r"(?i)exceed(s|ed) (the limit|the total limit|its local ephemeral storage limit)"

RULES: tuple[Rule, ...] = (
    # The program's own doing. Memory first: a pod that is killed for it may carry other reasons as well.
    Rule(Where.CONTAINER, ("OOMKilled",), WorkerEnd.MEMORY_LIMIT),
    Rule(Where.POD, ("DeadlineExceeded",), WorkerEnd.TIME_LIMIT),
    # Evicted for what it was allowed and exceeded: the next node would do the same.
    Rule(Where.POD, ("Evicted",), WorkerEnd.EXITED, says=_OVER_ITS_OWN_LIMIT),
    # The kubelet would not take it: nothing ran.
    Rule(
        Where.POD,
        (
            "OutOf*",
            "UnexpectedAdmissionError",
            "NodeAffinity",
            "NodeSelector",
            "TopologyAffinityError",
            "NodePorts",
            "PodOSNotSupported",
            "PodOSSelectorNodeLabelDoesNotMatch",
            "AppArmor",
            "SysctlForbidden",
            "InvalidNodeInfo",
            "Taint*",
            "UnexpectedPredicateFailureType",
        ),
        WorkerEnd.REJECTED,
        strikes_node=True,
    ),
    # The cluster took it away.
    Rule(Where.CONDITION, ("DisruptionTarget",), WorkerEnd.DISRUPTED),
    Rule(
        Where.POD,
        ("Evicted", "Preempting", "NodeShutdown", "Shutdown", "Terminated", "NodeLost"),
        WorkerEnd.DISRUPTED,
    ),
    Rule(Where.CONTAINER, ("ContainerStatusUnknown",), WorkerEnd.DISRUPTED),
    # Its container could not be made, and Kubernetes does not try again.
    Rule(Where.CONTAINER, ("StartError", "ContainerCannotRun"), WorkerEnd.UNSTARTABLE, says=_THE_COMMANDS_FAULT),
    Rule(Where.CONTAINER, ("StartError", "ContainerCannotRun"), WorkerEnd.REJECTED, strikes_node=True),
    # Its container cannot be made, and Kubernetes tries for ever.
    Rule(Where.WAITING, ("InvalidImageName",), WorkerEnd.UNSTARTABLE),
    Rule(
        Where.WAITING,
        ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"),
        WorkerEnd.UNSTARTABLE,
        patience="image_pull_s",
    ),
    Rule(
        Where.WAITING,
        ("ErrImageNeverPull", "CreateContainerConfigError"),
        WorkerEnd.UNSTARTABLE,
        patience="configuration_s",
    ),
    Rule(
        Where.WAITING,
        ("CreateContainerError", "RunContainerError"),
        WorkerEnd.UNSTARTABLE,
        says=_THE_COMMANDS_FAULT,
        patience="configuration_s",
    ),
    Rule(
        Where.WAITING,
        ("CreateContainerError", "RunContainerError", "CrashLoopBackOff", "*Error"),
        WorkerEnd.REJECTED,
        strikes_node=True,
        patience="start_s",
    ),
)
"""Failures that Kubernetes reports. What it never reports, such as a pod that nobody starts, is in `verdicts`."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pod ended, or why it will never run."""

    end: WorkerEnd
    exit_code: int | None = None
    """Exit code, or minus the number of the signal."""
    detail: str | None = None
    strikes_node: bool = False
    ended_at: datetime | None = None


def ending_of(pod: PodView) -> Ending:
    """Return how a pod ended whose phase is Succeeded or Failed, as far as the pod itself tells."""
    container = pod.container
    code = exit_code(container)
    ended_at = None if container is None else container.ended_at
    if pod.phase == "Succeeded":
        return Ending(WorkerEnd.EXITED, 0 if code is None else code, ended_at=ended_at)
    for where, reason, message in _complaints(pod):
        for rule in RULES:
            if rule.fits(where, reason, message):
                return Ending(rule.end, code, explained(reason, message), rule.strikes_node, ended_at)
    if container is not None and container.has_ended and container.is_before_worker:
        exited = f"exit code {container.exit_code}"
        reason = exited if container.ended_reason in _UNTOLD else container.ended_reason
        return Ending(WorkerEnd.REJECTED, None, detail(reason, container.message), strikes_node=True, ended_at=ended_at)
    if code is not None:
        words = "" if container is None else container.message
        reason = "" if container is None or container.ended_reason in _UNTOLD else container.ended_reason
        return Ending(WorkerEnd.EXITED, code, detail(reason, words), ended_at=ended_at)
    # The reason is none that we know, and no exit code is: it was not the program.
    has_run = container is not None and container.started_at is not None
    said = detail(pod.reason or "Failed", pod.message or "nothing was said about why")
    return Ending(WorkerEnd.DISRUPTED if has_run else WorkerEnd.REJECTED, None, said, not has_run)


def disruption_of(pod: PodView) -> Condition | None:
    """Return what a pod says of its being taken away by the cluster, None where it says nothing."""
    return _true_condition(pod, "DisruptionTarget")


def hindrance_of(container: ContainerView) -> Rule | None:
    """Return what keeps a container from being made, None where nothing is known to."""
    reason = container.waiting_reason
    return next((rule for rule in RULES if rule.fits(Where.WAITING, reason, container.message)), None)


def exit_code(container: ContainerView | None) -> int | None:
    """Return an ended worker's exit code, or minus the number of the signal that ended it."""
    if container is None or container.is_before_worker or not container.has_ended or container.exit_code is None:
        return None
    code = container.exit_code
    return _SIGNALS_FROM - code if _SIGNALS_FROM < code <= _SIGNALS_FROM + _LAST_SIGNAL else code


def explained(reason: str, message: str) -> str | None:
    """Return `detail`, in a sentence where the words of container runtimes leave users to guess."""
    if _NO_PYTHON.search(message):
        reason = "the image has no python3, which Medley's runtime needs"
    return detail(reason, message)


def detail(reason: str, message: str) -> str | None:
    """Return both in one bounded line, None where there is nothing to say."""
    words = f"{reason}: {message}" if reason and message else reason or message
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    if not line:
        return None
    return line if len(line) <= LONGEST_DETAIL else f"{line[: LONGEST_DETAIL - 1]}…"


def _complaints(pod: PodView) -> list[tuple[Where, str, str]]:
    """Return all that a failed pod says of its end, the most telling first: the order of the table's first part."""
    found: list[tuple[Where, str, str]] = []
    container = pod.container
    if container is not None and container.has_ended and container.ended_reason == "OOMKilled":
        found.append((Where.CONTAINER, container.ended_reason, container.message))
    if pod.reason:
        found.append((Where.POD, pod.reason, pod.message))
    if (taken := _true_condition(pod, "DisruptionTarget")) is not None:
        found.append((Where.CONDITION, taken.kind, f"{taken.reason}: {taken.message}"))
    if container is not None and container.has_ended:
        found.append((Where.CONTAINER, container.ended_reason, container.message))
    return found


def _true_condition(pod: PodView, kind: str) -> Condition | None:
    return next((known for known in pod.conditions if known.kind == kind and known.status == "True"), None)
