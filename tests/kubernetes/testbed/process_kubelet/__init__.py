"""A kubelet that runs containers as ordinary processes of this machine: real programs, no images and no isolation."""

from tests.kubernetes.testbed.process_kubelet.agent import ProcessKubelet

__all__ = ["ProcessKubelet"]
