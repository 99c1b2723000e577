"""What was submitted, in the form of a request."""

from typing import Any

from api.schemas.spec import (
    AfterArrayAnswer,
    AfterJobAnswer,
    AlternativeAnswer,
    ApartAnswer,
    RoleAnswer,
    SecretAnswer,
    ServeAnswer,
    ShareAnswer,
    SpecAnswer,
    SpreadAnswer,
    TopologyAnswer,
    TrainingAnswer,
    VolumeAnswer,
)
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.job import (
    ChipRequest,
    CommandProgram,
    Dependency,
    ExactMix,
    JobSpec,
    Program,
    ReferenceServing,
    ReferenceTraining,
    WorkerRole,
)
from scheduler.core.model.resources import WorkerShape


def spec_answer(spec: JobSpec) -> SpecAnswer:
    """Return what was submitted in the form of a request, complete with defaults."""
    command, training, serve = _program(spec.program)
    return SpecAnswer(
        name=spec.name,
        kind=spec.kind,
        replicas=spec.replicas,
        port=None if spec.serving is None else spec.serving.port,
        readiness_path=None if spec.serving is None else spec.serving.readiness_path,
        workers=spec.workers,
        min_workers=None if spec.elastic is None else spec.elastic.least,
        workers_step=1 if spec.elastic is None else spec.elastic.step,
        chips=_chips(spec.chips),
        **_shape(spec.shape),
        choose=spec.choice,
        alternatives=tuple(
            AlternativeAnswer(workers=other.workers, chips=_types(other.chips), **_shape(other.shape))
            for other in spec.alternatives
        ),
        roles=tuple(_role(role) for role in spec.roles),
        topology=TopologyAnswer(require=spec.closeness.required, prefer=spec.closeness.preferred),
        spread=None if spec.spread is None else SpreadAnswer(level=spec.spread.level, most=spec.spread.most),
        apart=None if spec.apart is None else ApartAnswer(level=spec.apart.level, labels=dict(spec.apart.labels)),
        exclusive=spec.exclusive,
        preemptible=spec.preemptible,
        movable=spec.movable,
        node_labels=dict(spec.node_labels),
        command=command,
        training=training,
        serve=serve,
        environment=dict(spec.environment),
        image=spec.image,
        shared_memory_mib=spec.shared_memory_mib,
        volumes=tuple(
            VolumeAnswer(volume_class=volume.volume_class, path=volume.path, read_only=volume.is_read_only)
            for volume in spec.volumes
        ),
        secrets={entry.variable: SecretAnswer(secret=entry.secret, key=entry.key) for entry in spec.secrets},
        retries=spec.retries,
        time_limit_s=spec.time_limit_s,
        grace_s=spec.grace_s,
        checkpoint_interval_s=spec.checkpoint_interval_s,
        checkpoints_kept=spec.checkpoints_kept,
        silence_limit_s=spec.silence_limit_s,
        stall_limit_s=spec.stall_limit_s,
        priority=spec.priority,
        queue=spec.queue,
        labels=dict(spec.labels),
        family=spec.family,
        after=tuple(map(_after, spec.after)),
    )


def share_answer(milli: int, memory_mib: int) -> ShareAnswer | None:
    """Return a share, None where there is none."""
    return ShareAnswer(milli=milli, memory_mib=memory_mib) if milli else None


def _after(one: Dependency) -> AfterJobAnswer | AfterArrayAnswer:
    if one.is_array:
        return AfterArrayAnswer(array=one.job, condition=one.condition)
    return AfterJobAnswer(job=one.job, condition=one.condition)


def _shape(shape: WorkerShape) -> dict[str, Any]:
    return {
        "devices_per_worker": shape.devices,
        "share": share_answer(shape.share_milli, shape.share_memory_mib),
        "cpu_milli": shape.cpu_milli,
        "memory_mib": shape.memory_mib,
    }


def _role(role: WorkerRole) -> RoleAnswer:
    return RoleAnswer(
        name=role.name,
        workers=role.workers,
        chips=_types(role.chips) if role.chips else None,
        command=None if role.program is None else _program(role.program)[0],
        **_shape(role.shape),
    )


def _chips(request: ChipRequest) -> str | tuple[str, ...] | dict[str, int]:
    return dict(request.workers) if isinstance(request, ExactMix) else _types(request.chips)


def _types(chips: tuple[ChipName, ...]) -> str | tuple[str, ...]:
    return chips[0] if len(chips) == 1 else chips


def _program(program: Program) -> tuple[tuple[str, ...] | None, TrainingAnswer | None, ServeAnswer | None]:
    match program:
        case CommandProgram(argv):
            return argv, None, None
        case ReferenceServing(training, seed):
            return None, None, ServeAnswer(training=training, seed=seed)
        case ReferenceTraining():
            answer = TrainingAnswer(
                steps=program.steps,
                batch=program.batch,
                sequence=program.sequence,
                width=program.width,
                layers=program.layers,
                heads=program.heads,
                learning_rate=program.learning_rate,
                seed=program.seed,
            )
            return None, answer, None
