"""When jobs of a list will start."""

from api.schemas.text import Answer, Moment, with_examples
from scheduler.core.model.waiting.estimate import StartBasis


class StartAnswer(Answer):
    """When a job is expected to start, in short. No promise, unless the basis is `promised`."""

    model_config = with_examples(
        {"earliest": "2026-01-01T00:10:00.000000Z", "latest": "2026-01-01T01:05:00.000000Z", "basis": "learnt"}
    )

    earliest: Moment
    latest: Moment
    basis: StartBasis
