"""Where a retry would go on, in a sentence."""

from scheduler.core.model.attempt import Checkpoint
from scheduler.core.model.job import JobSpec, ReferenceTraining


def resume_text(spec: JobSpec, checkpoint: Checkpoint | None, attempt: int, *, keeps_checkpoints: bool | None) -> str:
    """Return where a retry goes on, or why it cannot; `attempt` is the number of the one that saved the checkpoint."""
    if keeps_checkpoints is False:
        return (
            "it cannot resume: its cluster has no storage for checkpoints, so a retry begins anew; an operator can "
            "name a volume class for them"
        )
    if checkpoint is not None:
        return f"a retry goes on from step {checkpoint.step}, which attempt {attempt} saved"
    if keeps_checkpoints is None:
        return "nothing is known of any checkpoint"
    if isinstance(spec.program, ReferenceTraining):
        return f"no checkpoint yet, so a retry would begin anew; one is saved every {spec.checkpoint_interval_s} s"
    return "its program has told of no checkpoint, so a retry would begin anew, as far as Medley knows"
