"""What is said of moves by which a job that waits would have room."""

from typing import Any

from api.schemas.text import Answer, with_examples

MOVE_EXAMPLE: dict[str, Any] = {
    "text": "job 01jd3v9k2m0a7b4d moved from mixed/nvidia-1 to mixed/nvidia-2, which costs about 12 chip-minutes "
    "and is not done by itself: its job does not say `movable: true`",
    "job": "01jd3v9k2m0a7b4d",
    "tenant": "demo",
    "leaves": ["mixed/nvidia-1"],
    "goes_to": ["mixed/nvidia-2"],
    "devices_milli": 2000,
    "cost_device_s": 720.0,
    "is_allowed": False,
}


class MoveAnswer(Answer):
    """A job that runs goes on elsewhere, so that there is room for one that waits."""

    model_config = with_examples(MOVE_EXAMPLE)

    text: str
    job: str | None
    """Null where it is another tenant's."""
    tenant: str
    leaves: tuple[str, ...]
    goes_to: tuple[str, ...]
    devices_milli: int
    cost_device_s: float
    """What it has not saved, and a minute for its restart, in device-seconds."""
    is_allowed: bool
    """Whether its job says that it may be moved: then it is done by itself once all the others may be, too."""
