"""How a pod learns its place in the gang: one document for all ranks, and each pod's rank and token beside it."""

import json

from scheduler.ports.cluster import GangOrder
from scheduler.ports.launch import gang_fields, ranks_fields

DOCUMENT = "launch.json"
"""The key of the document in the ConfigMap, and its file's name."""
DOCUMENT_FOLDER = "/etc/medley/gang"
TOKEN = "token"  # noqa: S105 - a key's name
"""The key of the token in its Secret, and its file's name."""
TOKEN_FOLDER = "/etc/medley/token"  # noqa: S105 - a folder's name

LARGEST_DOCUMENT_BYTES = 1024 * 1024
"""The API keeps no ConfigMap with more data."""


def gang_document(order: GangOrder, *, devices_are_simulated: bool, checkpoints: str | None = None) -> str:
    """Return the launch document of all ranks, as JSON without the token; `checkpoints` is their folder in a pod."""
    document = gang_fields(order, checkpoints=checkpoints) | {
        "devices_are_simulated": devices_are_simulated,
        "ranks": ranks_fields(order, checkpoints=checkpoints),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def rank_variables(rank: int) -> dict[str, str]:
    """Return the environment by which the runtime finds the document, its rank and its token."""
    return {
        "MEDLEY_LAUNCH": f"{DOCUMENT_FOLDER}/{DOCUMENT}",
        "MEDLEY_RANK": str(rank),
        "MEDLEY_TOKEN_FILE": f"{TOKEN_FOLDER}/{TOKEN}",
    }
