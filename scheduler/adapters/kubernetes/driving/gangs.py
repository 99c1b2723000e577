"""Starting gangs: all pods are made behind their gates, and only when all of them exist the gates are opened.

Up to the first opened gate nothing has run, so that whatever is refused is taken back whole. Every step finds out by
itself what an earlier call, or an earlier process, has done of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scheduler.adapters.kubernetes.decoding import map_view, pod_view
from scheduler.adapters.kubernetes.driving.doors import open_door
from scheduler.adapters.kubernetes.driving.failures import Ending, detail
from scheduler.adapters.kubernetes.driving.removal import Removal
from scheduler.adapters.kubernetes.driving.scene import Scene
from scheduler.adapters.kubernetes.driving.writing import pods_path
from scheduler.adapters.kubernetes.rendering import (
    RELEASE_CONTENT_TYPE,
    Blueprint,
    Place,
    owned_objects,
    owner_object,
    pod,
    release_patch,
)
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.attempt import FIRST_GENERATION, Allocation, WorkerEnd
from scheduler.core.model.identifiers import AttemptId, WorkerKey
from scheduler.ports.cluster import ClusterUnavailable, GangOrder, StartFailed, StartRefusal

START_LIMIT_S = 60.0
STALE_PAUSE_S = 0.2
STALE_LIMIT_S = 10.0

_CUT_OFF = Ending(WorkerEnd.DISRUPTED, None, "its pod was deleted, and not by Medley, while its gang was being started")


class _StillThere(ClusterUnavailable):
    """What belongs to an earlier owner has a name that is needed."""


class Gangs:
    """Starts gangs. Any number of threads may call; for one attempt they take turns."""

    def __init__(self, scene: Scene, removal: Removal) -> None:
        self._scene = scene
        self._removal = removal

    def start(self, order: GangOrder) -> None:
        """Start every worker of the gang that was never started, within 60 s.

        Raises StartFailed (nothing of it is left), ClusterUnavailable (call again: it goes on where it stopped).
        """
        until_s = self._scene.clock.monotonic_s() + START_LIMIT_S
        if not self._scene.turns.take(order.attempt, timeout_s=START_LIMIT_S):
            raise ClusterUnavailable(f"another start of attempt {order.attempt} is under way for more than a minute")
        try:
            self._start(order, until_s)
        finally:
            self._scene.turns.give_back(order.attempt)

    def _start(self, order: GangOrder, until_s: float) -> None:
        standings = self._scene.standings
        if self._is_closed(order.attempt):
            return
        refusal = standings.refusal(order.attempt)
        if refusal is None:
            standings.begin(order.attempt)
            try:
                self._bring_up(self._blueprint(order), until_s)
            except StartFailed as failure:
                if order.generation != FIRST_GENERATION:
                    self._removal.dismiss(order.attempt, [one.worker for one in order.to_start], grace_s=0)
                    raise  # the others run, and end when they are asked to
                standings.refuse(order.attempt, failure)
                refusal = failure
            else:
                return
        self._removal.withdraw(self._scene.configuration.namespace_of(order.job.tenant), order.attempt)
        raise refusal

    def _is_closed(self, attempt: AttemptId) -> bool:
        """Say whether the attempt has lived, so that nothing of it may start. Raises StartFailed where it never did."""
        standings, members = self._scene.standings, self._scene.members
        if standings.is_forgotten(attempt):
            return True
        if not standings.is_barred(attempt):
            return False
        if members.has_lived(attempt):
            return True
        raise _stopped()

    def _blueprint(self, order: GangOrder) -> Blueprint:
        places = tuple(self._place(allocation) for allocation in order.allocations)
        return Blueprint(order, places, self._scene.configuration, self._scene.identity)

    def _place(self, allocation: Allocation) -> Place:
        node, chip, inventory = allocation.node.partition("/")[2], allocation.chip, self._scene.inventory
        resource = None if chip is None else inventory.resource(node, chip)
        view = inventory.view(node)
        if view is None or (resource is None and chip is not None):
            what = f"node {node} is gone" if view is None else f"node {node} has no devices of type {allocation.chip}"
            raise StartFailed(f"{what}; it was there when the gang was placed", StartRefusal.FAILED)
        return Place(node, resource, view.labels, inventory.tolerations(node))

    def _bring_up(self, blueprint: Blueprint, until_s: float) -> None:
        attempt, members, wanted = blueprint.order.attempt, self._scene.members, blueprint.ranks
        ended = members.ended_ranks(attempt) & wanted.keys()
        owned = ((each.ownership.rank, each) for each in members.pods(attempt) if each.ownership is not None)
        pods = {number: each for number, each in owned if number in wanted}
        waiting = {number: each for number, each in pods.items() if number not in ended}
        if not ended and all(each.is_gated for each in waiting.values()):
            self._leave_old_namespace(blueprint, waiting.values(), until_s)
        missing = [number for number in wanted if number not in pods and number not in ended]
        if missing and (ended or any(not each.is_gated for each in waiting.values())):
            # All pods were there when the first gate was opened: these were, too.
            for number in missing:
                members.fail(WorkerKey(attempt, number), blueprint.order.generation, _CUT_OFF)
            return
        if missing:
            waiting |= self._make_missing(blueprint, missing, waiting, until_s)
        self._release(blueprint, waiting, until_s, has_lived=bool(ended))

    def _leave_old_namespace(self, blueprint: Blueprint, pods: Iterable[PodView], until_s: float) -> None:
        """Take back pods made where the tenant's pods do not belong any more. Raises ClusterUnavailable if any."""
        strays = [each for each in pods if each.namespace != blueprint.namespace]
        if strays:
            self._removal.move(blueprint.order.attempt, strays, until_s=until_s)
            raise ClusterUnavailable(
                f"pods of attempt {blueprint.order.attempt} are being removed from namespace {strays[0].namespace}: "
                f"its tenant's are in {blueprint.namespace} now"
            )

    def _make_missing(
        self, blueprint: Blueprint, missing: Sequence[int], known: Mapping[int, PodView], until_s: float
    ) -> dict[int, PodView]:
        """Make the owner, what belongs to it, and the pods of these workers; return the pods."""
        owner_uid, is_new = self._make_owner(blueprint, until_s)
        for each in known.values():
            _require_of(each, owner_uid)
        if not known:  # pods are made last
            try:
                for path, document in owned_objects(blueprint, owner_uid):
                    self._make_owned(path, document, until_s, is_new=is_new)
            except _StillThere:  # beside an owner that stays, the next try would take it for its own
                self._removal.drop_owner(blueprint.namespace, blueprint.order.attempt, owner_uid)
                raise
        open_door(self._scene, blueprint, owner_uid, until_s)
        pods: dict[int, PodView] = {}

        def make(number: int) -> None:
            if self._scene.standings.is_barred(blueprint.order.attempt):
                raise _stopped()
            pods[number] = self._make_pod(blueprint, number, owner_uid, until_s)

        self._scene.each(missing, make)
        return pods

    def _make_owner(self, blueprint: Blueprint, until_s: float) -> tuple[str, bool]:
        """Return the UID of the attempt's owner, and whether it was made only now.

        The watch is not asked: it may still show one that was just removed.
        """
        scene, attempt, namespace = self._scene, blueprint.order.attempt, blueprint.namespace
        owner, path = scene.configuration.owner, scene.configuration.owner.path(namespace)
        what = f"{owner.kind} {namespace}/{attempt}"
        document = scene.writing.create(path, owner_object(blueprint), what=what, until_s=until_s)
        is_new = document is not None
        if document is None:
            document = scene.writing.read(f"{path}/{attempt}", is_metadata_only=True, until_s=until_s)
        if document is None:
            raise ClusterUnavailable(f"{what} vanished while it was looked at; it is made anew with the next try")
        view = map_view(document)
        if not scene.is_ours(view):
            raise _taken(what)
        if view.is_going:
            raise ClusterUnavailable(f"{what} of an earlier start is still being removed")
        scene.owners[namespace].wrote(document)
        return view.uid, is_new

    def _make_owned(self, path: str, document: Mapping[str, Any], until_s: float, *, is_new: bool) -> None:
        """Make what belongs to the owner. One of this name under a new owner is of an older one, and about to go."""
        scene, what = self._scene, f"{document['kind']} {document['metadata']['name']}"
        give_up_s = scene.clock.monotonic_s() + STALE_LIMIT_S
        while scene.writing.create(path, document, what=what, until_s=until_s) is None and is_new:
            if scene.clock.monotonic_s() > give_up_s or scene.closing.wait(STALE_PAUSE_S):
                raise _StillThere(f"{what} of an earlier start is still being removed")

    def _make_pod(self, blueprint: Blueprint, number: int, owner_uid: str, until_s: float) -> PodView:
        writing, path = self._scene.writing, pods_path(blueprint.namespace)
        name = WorkerKey(blueprint.order.attempt, number).name
        what = f"Pod {blueprint.namespace}/{name}"
        document = writing.create(path, pod(blueprint, blueprint.ranks[number], owner_uid), what=what, until_s=until_s)
        if document is None:
            document = writing.read(f"{path}/{name}", until_s=until_s)
        if document is None:
            raise ClusterUnavailable(f"{what} vanished while it was looked at; it is made anew with the next try")
        view = pod_view(document)
        if not self._scene.identity.is_our_pod(view):
            raise _taken(what)
        _require_of(view, owner_uid)
        self._scene.pods.wrote(document)
        return view

    def _release(self, blueprint: Blueprint, pods: Mapping[int, PodView], until_s: float, *, has_lived: bool) -> None:
        """Open all gates. The first one alone: while its opening can be refused, nothing has run."""
        order = blueprint.order
        gated = [number for number in sorted(pods) if pods[number].is_gated]
        if gated and len(gated) == len(pods) and not has_lived:
            if self._scene.standings.is_barred(order.attempt):
                raise _stopped()
            if not self._open(blueprint, pods[gated[0]], until_s):
                raise ClusterUnavailable(
                    f"a pod of attempt {order.attempt} vanished; it is made anew with the next try"
                )
            gated = gated[1:]

        def open_gate(number: int) -> None:
            if self._scene.standings.is_barred(order.attempt):
                return  # whoever stops it sees to all of its pods
            try:
                ending = None if self._open(blueprint, pods[number], until_s) else _CUT_OFF
            except StartFailed as refusal:  # others run by now: its gang ends by this one's end
                ending = Ending(WorkerEnd.REJECTED, None, detail("", str(refusal)))
            if ending is not None:
                self._scene.members.fail(WorkerKey(order.attempt, number), order.generation, ending)

        self._scene.each(gated, open_gate)

    def _open(self, blueprint: Blueprint, view: PodView, until_s: float) -> bool:
        """Let a pod go to its node; says whether it is still there."""
        scene, path = self._scene, f"{pods_path(view.namespace)}/{view.name}"
        number = -1 if view.ownership is None else view.ownership.rank
        patch = release_patch(blueprint.places[blueprint.ranks[number]].node, view.uid)
        document = scene.writing.patch(path, patch, RELEASE_CONTENT_TYPE, what=f"Pod {view.key}", until_s=until_s)
        if document is not None:
            scene.pods.wrote(document)
            return True
        found = scene.writing.read(path, until_s=until_s)
        if found is not None and pod_view(found).uid == view.uid:
            raise ClusterUnavailable(f"Pod {view.key} was changed by others at the same time")
        return False


def _require_of(view: PodView, owner_uid: str) -> None:
    """Raise ClusterUnavailable where a pod of ours is not of this owner, or is being deleted behind its gate."""
    if view.ownership is None or view.ownership.owner_uid != owner_uid or (view.is_gated and view.deleted_at):
        raise ClusterUnavailable(f"Pod {view.key} of an earlier start is still being removed")


def _stopped() -> StartFailed:
    return StartFailed("the attempt was asked to stop before it was started", StartRefusal.STOPPED)


def _taken(what: str) -> StartFailed:
    return StartFailed(
        f"{what} exists and was not made by this Medley; let its owner remove it", StartRefusal.NAME_TAKEN
    )
