"""What workers print: followed through the API while somebody reads it, kept within bounds once their pods are gone."""

from scheduler.adapters.kubernetes.logs.keeper import LogKeeper

__all__ = ["LogKeeper"]
