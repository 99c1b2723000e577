import pytest

from scheduler.adapters.kubernetes.configuration.cluster import Deadlines
from scheduler.adapters.kubernetes.driving.failures import LONGEST_DETAIL, RULES, detail, ending_of, hindrance_of
from scheduler.adapters.kubernetes.views import ContainerView
from scheduler.core.model.attempt import WorkerEnd
from tests.unit.adapters.kubernetes.driving.views import condition, copying, ended, pod, waiting


@pytest.mark.parametrize(
    ("code", "want"), [(0, 0), (3, 3), (128, 128), (137, -9), (143, -15), (192, -64), (193, 193), (255, 255)]
)
def test_exit_codes_above_128_are_signals(code: int, want: int) -> None:
    assert ending_of(pod(phase="Failed", container=ended(code))).exit_code == want


def test_a_pod_that_succeeded_exited_with_0() -> None:
    ending = ending_of(pod(phase="Succeeded", container=ended(0, "Completed")))

    assert (ending.end, ending.exit_code, ending.detail) == (WorkerEnd.EXITED, 0, None)


@pytest.mark.parametrize(
    ("reason", "want", "want_strike"),
    [
        ("OutOfcpu", WorkerEnd.REJECTED, True),
        ("OutOfnvidia.com/gpu", WorkerEnd.REJECTED, True),
        ("UnexpectedAdmissionError", WorkerEnd.REJECTED, True),
        ("NodeAffinity", WorkerEnd.REJECTED, True),
        ("TopologyAffinityError", WorkerEnd.REJECTED, True),
        ("Preempting", WorkerEnd.DISRUPTED, False),
        ("Evicted", WorkerEnd.DISRUPTED, False),
        ("NodeShutdown", WorkerEnd.DISRUPTED, False),
        ("Terminated", WorkerEnd.DISRUPTED, False),
        ("DeadlineExceeded", WorkerEnd.TIME_LIMIT, False),
        ("SomethingOfTomorrow", WorkerEnd.REJECTED, True),
    ],
)
def test_the_reason_of_a_failed_pod_decides(reason: str, want: WorkerEnd, *, want_strike: bool) -> None:
    ending = ending_of(pod(phase="Failed", reason=reason, message="so it is"))

    assert (ending.end, ending.strikes_node) == (want, want_strike)
    assert ending.detail == f"{reason}: so it is"


@pytest.mark.parametrize(
    ("container", "want"),
    [
        (ended(137, "OOMKilled"), WorkerEnd.MEMORY_LIMIT),
        (ended(137, "ContainerStatusUnknown"), WorkerEnd.DISRUPTED),
        (ended(128, "StartError", 'exec: "train": executable file not found in $PATH'), WorkerEnd.UNSTARTABLE),
        (ended(128, "StartError", "failed to inject devices"), WorkerEnd.REJECTED),
        (ended(137), WorkerEnd.EXITED),
        (ended(1, "Error", "Traceback"), WorkerEnd.EXITED),
    ],
)
def test_the_reason_of_an_ended_container_decides(container: ContainerView, want: WorkerEnd) -> None:
    assert ending_of(pod(phase="Failed", container=container)).end is want


@pytest.mark.parametrize(
    ("container", "want", "want_strike", "want_detail"),
    [
        (ended(1, message="init container runtime: no space left"), WorkerEnd.REJECTED, True, "exit code 1: init"),
        (ended(137, "ContainerStatusUnknown"), WorkerEnd.DISRUPTED, False, "ContainerStatusUnknown"),
        (ended(137, "OOMKilled"), WorkerEnd.MEMORY_LIMIT, False, "OOMKilled"),
        (
            ended(128, "StartError", 'init container runtime: exec: "python3": executable file not found in $PATH'),
            WorkerEnd.UNSTARTABLE,
            False,
            "the image has no python3",
        ),
    ],
)
def test_the_exit_of_an_init_container_is_not_the_programs(
    container: ContainerView, want: WorkerEnd, want_detail: str, *, want_strike: bool
) -> None:
    ending = ending_of(pod(phase="Failed", container=copying(container)))

    assert (ending.end, ending.exit_code, ending.strikes_node) == (want, None, want_strike)
    assert ending.detail is not None
    assert want_detail in ending.detail


def test_an_image_without_python_is_told_in_a_sentence() -> None:
    container = ended(128, "StartError", 'exec: "python3": executable file not found in $PATH: unknown')

    ending = ending_of(pod(phase="Failed", container=container))

    assert ending.end is WorkerEnd.UNSTARTABLE
    assert (ending.detail or "").startswith("the image has no python3, which Medley's runtime needs")


def test_what_the_cluster_took_away_is_no_failure_of_the_program() -> None:
    taken = pod(phase="Failed", container=ended(137), conditions=(condition("DisruptionTarget"),))

    assert ending_of(taken).end is WorkerEnd.DISRUPTED


def test_a_pod_evicted_for_exceeding_its_own_limit_is_the_programs_doing() -> None:
    message = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."

    ending = ending_of(pod(phase="Failed", reason="Evicted", message=message, container=ended(137)))

    assert (ending.end, ending.exit_code) == (WorkerEnd.EXITED, -9)


@pytest.mark.parametrize(
    ("reason", "want", "want_s"),
    [
        ("InvalidImageName", WorkerEnd.UNSTARTABLE, 0),
        ("ErrImagePull", WorkerEnd.UNSTARTABLE, 900),
        ("ImagePullBackOff", WorkerEnd.UNSTARTABLE, 900),
        ("ErrImageNeverPull", WorkerEnd.UNSTARTABLE, 60),
        ("CreateContainerConfigError", WorkerEnd.UNSTARTABLE, 60),
        ("CreateContainerError", WorkerEnd.REJECTED, 300),
        ("RunContainerError", WorkerEnd.REJECTED, 300),
    ],
)
def test_each_hindrance_has_its_patience(reason: str, want: WorkerEnd, want_s: int) -> None:
    rule = hindrance_of(waiting(reason))

    assert rule is not None
    assert (rule.end, rule.patience_s(Deadlines())) == (want, want_s)


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", ""])
def test_a_container_that_is_being_made_is_not_hindered(reason: str) -> None:
    assert hindrance_of(waiting(reason)) is None


def test_every_patience_of_the_table_is_a_deadline_of_the_configuration() -> None:
    assert all(rule.patience_s(Deadlines(1, 1, 1, 1)) in (0, 1) for rule in RULES)


def test_details_are_one_bounded_line() -> None:
    text = detail("Why", "a\nb\x1b[31m" + "c" * 600)

    assert text is not None
    assert text.startswith("Why: a b [31mc")
    assert len(text) == LONGEST_DETAIL
    assert detail("", "\n") is None
