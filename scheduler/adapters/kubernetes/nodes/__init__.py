"""Nodes of Kubernetes as nodes of Medley: their chips, what others use of them, whether they take new work."""

from scheduler.adapters.kubernetes.nodes.inventory import Inventory
from scheduler.adapters.kubernetes.nodes.strikes import Strikes

__all__ = ["Inventory", "Strikes"]
