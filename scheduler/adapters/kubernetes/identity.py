"""Telling what this Medley made from what merely looks like it: labels can be copied, proofs cannot be made up."""

import hmac

from scheduler.adapters.kubernetes.views import MapView, PodView
from scheduler.core.model.identifiers import ClusterName, WorkerKey

PREFIX = "medley/"
"""Of every label, annotation and scheduling gate of ours."""
INSTANCE_LABEL = "medley/instance"
JOB_LABEL = "medley/job"
ATTEMPT_LABEL = "medley/attempt"
RANK_LABEL = "medley/rank"
"""The worker's number within its attempt: its rank, but for workers that came later."""
GENERATION_LABEL = "medley/generation"
TENANT_LABEL = "medley/tenant"
PORT_LABEL = "medley/port"
"""Of rank 0 of a server: where it listens."""
PROOF_ANNOTATION = "medley/proof"
GATE = "medley/gang"

POD = "Pod"
WORKER_CONTAINER = "worker"
"""Of a pod of ours: the container whose state, output and exit code are the worker's, whatever others put beside it."""

_INSTANCE_DIGITS = 16
_PROOF_DIGITS = 32


class Identity:
    """One Medley on one of its clusters, known by the secret of its server and the name that it gave the cluster.

    Two descriptions of the same cluster are strangers to each other, and so is one under a new name to the old one:
    what the one runs is not the other's to remove.
    """

    def __init__(self, secret: bytes, cluster: ClusterName) -> None:
        """`secret` is never shown; whoever has it can make what this Medley takes for its own."""
        self._secret = secret
        self._cluster = cluster
        self.instance = self._digest("instance")[:_INSTANCE_DIGITS]
        """The value of the label by which our objects are listed; known to everybody who sees one."""

    def __repr__(self) -> str:
        """Name the instance, never the secret."""
        return f"Identity({self.instance})"

    def proof(self, namespace: str, kind: str, name: str) -> str:
        """Return what an object of ours says in its annotation; good for this one name only."""
        return self._digest("proof", namespace, kind, name)[:_PROOF_DIGITS]

    def is_our_pod(self, pod: PodView) -> bool:
        """Say whether we made a pod: instance and proof are right, and its name is what its labels say."""
        own = pod.ownership
        if own is None or own.instance != self.instance or pod.name != WorkerKey(own.attempt, own.rank).name:
            return False
        return self.is_proven(own.proof, pod.namespace, POD, pod.name)

    def is_our_map(self, owner: MapView, kind: str = "ConfigMap") -> bool:
        """Say whether we made the owner of an attempt, which is an object of this kind."""
        if owner.instance != self.instance or owner.name != owner.attempt:
            return False
        return self.is_proven(owner.proof, owner.namespace, kind, owner.name)

    def is_proven(self, proof: str, namespace: str, kind: str, name: str) -> bool:
        """Say whether a proof is that of an object of ours."""
        return hmac.compare_digest(proof.encode(), self.proof(namespace, kind, name).encode())

    def _digest(self, *parts: str) -> str:
        """Return a keyed digest; the parts hold no slash, so that no two lists of them read the same."""
        return hmac.digest(self._secret, "/".join(("kubernetes", self._cluster, *parts)).encode(), "sha256").hex()
