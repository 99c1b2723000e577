"""From the API's documents to the views that are kept of them: fast, and without holding on to a document."""

from scheduler.adapters.kubernetes.decoding.maps import map_view
from scheduler.adapters.kubernetes.decoding.nodes import node_view
from scheduler.adapters.kubernetes.decoding.pods import pod_view

__all__ = ["map_view", "node_view", "pod_view"]
