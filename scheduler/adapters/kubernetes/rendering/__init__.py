"""From an order to the objects of the API: pure functions that answer with plain documents.

The API keeps an attempt as an owner, what the owner holds together, and one pod per rank.
"""

from scheduler.adapters.kubernetes.rendering.blueprint import Blueprint, Place
from scheduler.adapters.kubernetes.rendering.checks import objection
from scheduler.adapters.kubernetes.rendering.holders import owned_objects, owner_object
from scheduler.adapters.kubernetes.rendering.pods import pod
from scheduler.adapters.kubernetes.rendering.release import RELEASE_CONTENT_TYPE, release_patch

__all__ = [
    "RELEASE_CONTENT_TYPE",
    "Blueprint",
    "Place",
    "objection",
    "owned_objects",
    "owner_object",
    "pod",
    "release_patch",
]
