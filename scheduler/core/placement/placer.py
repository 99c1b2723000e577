"""Finds seats for one part of a gang: from the smallest domain that is to be tried to the largest that is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.node_entry import NodeEntry
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.placement import SeatedPart
from scheduler.core.placement.ranking import Draw, Ranking, Scores
from scheduler.core.placement.room.levels import levels_to_try
from scheduler.core.placement.room.view import Lookout, View
from scheduler.core.placement.scoring.facts import NO_FACTS, facts_of
from scheduler.core.placement.scoring.job_mix import NO_MIX, JobMix
from scheduler.core.placement.scoring.scorer import Scorer, devices_with_room
from scheduler.core.placement.scoring.weights import DEFAULT_WEIGHTS, NOTHING_WORTH, ChipWorth, Weights, node_terms
from scheduler.core.placement.seats import Seater

if TYPE_CHECKING:
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.room import Room
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.demand import Demand, Fit
    from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
    from scheduler.core.placement.request import GangRequest, PartRequest

MOST_RANKINGS = 4_096
MOST_LOOKOUTS = 16_384


class Placer:
    """Seats workers on a ledger, which is afterwards as it was. Between calls it remembers scores and nothing else."""

    def __init__(
        self,
        ledger: Ledger,
        weights: Weights = DEFAULT_WEIGHTS,
        worth: ChipWorth = NOTHING_WORTH,
        mix: JobMix = NO_MIX,
        draw: Draw | None = None,
    ) -> None:
        self.ledger = ledger
        self.weights = weights
        self.worth = worth
        """What chip types are worth now: options are judged by it, scores of nodes do not depend on it."""
        self.draw = draw
        """Where there is one, single workers get any node and any device at random: to compare with."""
        self._scorer = Scorer(node_terms(weights, mix, NO_FACTS))
        self._scores: dict[Fit, Scores] = {}
        self._rankings: dict[Room, Ranking] = {}
        self._lookouts: dict[tuple[ClusterName, Demand, TenantName | None], tuple[int, Lookout]] = {}

    def expect(self, mix: JobMix) -> None:
        """Score anew, for another mix of jobs and for the nodes that there are now."""
        facts = facts_of(self.ledger.inventory.kinds())
        self._scorer = Scorer(node_terms(self.weights, mix, facts))
        self._scores.clear()
        self._rankings.clear()

    def seat(
        self, cluster: ClusterName, request: GangRequest, part: PartRequest, *, within: Domain | None = None
    ) -> SeatedPart | None:
        """Return seats for all workers of a part, None where there are none now; in one domain where one is given."""
        workers = part.part.workers
        lookout = self.views(cluster, request, part)
        widest = lookout.widest()
        if widest is None or widest.total < workers:
            return None
        required = request.closeness.required
        if required is not None and widest.has_no_room_within(required, workers):
            return None
        levels = levels_to_try(self.ledger.inventory.levels(cluster), request.closeness)
        for view in lookout:
            if view.total < workers:
                continue
            for level in levels:
                if level == NODE:
                    seating = None if within is not None else self._on_one_node(cluster, view, part)
                else:
                    domain = self._tightest(cluster, view, level, workers, within)
                    seating = None if domain is None else self.fill(cluster, view, domain, workers)
                if seating is not None:
                    return SeatedPart(part, seating, view.nodes)
        return None

    def views(self, cluster: ClusterName, request: GangRequest, part: PartRequest) -> Lookout:
        """Return where the workers of a part may be looked for; tenants without such nodes of their own share it."""
        return self.lookout(cluster, part.part.chip, part.demand, request.tenant)

    def lookout(self, cluster: ClusterName, chip: ChipName | None, demand: Demand, tenant: TenantName) -> Lookout:
        """Return where a tenant may look for room for a demand."""
        inventory = self.ledger.inventory
        owner = tenant if inventory.has_nodes_of(cluster, chip, tenant) else None
        known = self._lookouts.get((cluster, demand, owner))
        if known is None or known[0] != inventory.pools_made:
            if len(self._lookouts) >= MOST_LOOKOUTS:
                self._lookouts.clear()
            found = Lookout(inventory, demand, cluster, chip, tenant)
            known = self._lookouts[cluster, demand, owner] = (inventory.pools_made, found)
        return known[1]

    def fill(self, cluster: ClusterName, view: View, domain: Domain, workers: int) -> Seating:
        """Return seats for workers in a domain that has room for them."""
        demand = view.fit.demand
        if demand.shape.share_milli and workers > 1:
            if demand.is_exclusive or demand.most_per_node < workers:
                return self._node_by_node(cluster, view, domain, workers)
            return self._one_by_one(cluster, view, domain, workers)
        seater = self._seater(cluster, view)
        seater.fill(domain, workers)
        return seater.seating

    def _on_one_node(self, cluster: ClusterName, view: View, part: PartRequest) -> Seating | None:
        """Return seats on the best node that has room for all workers of the part, None where no node has."""
        workers = part.part.workers
        if workers > view.most_on_a_node:
            return None
        inventory = self.ledger.inventory
        if self.draw is not None and workers == 1:
            return self._on_any_node(cluster, view, self.draw)
        together = view if workers == 1 else View(inventory.fit(part.together), view.pools)
        best = [entry for room in together.rooms if (entry := self.ranking(room).best()) is not None]
        if not best:
            return None
        entry = best[0]
        if len(best) > 1:
            scores = self.scores(together.fit)
            entry = min(best, key=lambda entry: (-scores[entry.leftover], entry.id))
        if workers > 1 and view.fit.demand.shape.share_milli:
            return self._one_by_one(cluster, view, entry, workers)
        seater = self._seater(cluster, view)
        seater.on_node(entry, workers)
        return seater.seating

    def _on_any_node(self, cluster: ClusterName, view: View, draw: Draw) -> Seating | None:
        found = [node for room in view.rooms if (node := self.ranking(room).any(draw)) is not None]
        if not found:
            return None
        seater = self._seater(cluster, view)
        entry = self.ledger.inventory.entries[found[draw(len(found))]]
        if view.fit.demand.shape.share_milli:
            devices = devices_with_room(view.fit.demand, entry.leftover)
            seater.on_device(entry, devices[draw(len(devices))])
        else:
            seater.on_node(entry, 1)
        return seater.seating

    def _tightest(
        self, cluster: ClusterName, view: View, level: str, workers: int, within: Domain | None
    ) -> Domain | None:
        """Return the tightest domain of a level with room for the workers."""
        if within is None:
            return self.ledger.inventory.root(cluster) if level == CLUSTER else view.tightest(level, workers)
        if level in (within.level, CLUSTER):
            return within if view.room_in(within) >= workers else None
        return next(
            (domain for domain in view.from_tightest(level, workers) if domain.at(within.level) is within), None
        )

    def _one_by_one(self, cluster: ClusterName, view: View, where: Domain | NodeEntry, workers: int) -> Seating:
        """Return seats for shares in a domain or on a node with room for them, each on what those before it left."""
        seating = Seating(view.fit.demand, [], [], [], [])
        with Trial(self.ledger) as trial:
            for number in range(workers):
                seater = self._seater(cluster, View(view.fit, view.pools))
                if isinstance(where, NodeEntry):
                    seater.on_node(where, 1)
                else:
                    seater.fill(where, 1)
                trial.apply(Seat(f"share-{number}", "", (seater.seating,)))
                seating.extend(seater.seating)
        return seating

    def _node_by_node(self, cluster: ClusterName, view: View, domain: Domain, workers: int) -> Seating:
        """Return seats for shares of which a node has room for so many only before the first of them sits there."""
        plan = _Plan(self, view, binds=True)
        plan.fill(domain, workers)
        seating = Seating(view.fit.demand, [], [], [], [])
        for entry, count in plan.nodes:
            seating.extend(self._one_by_one(cluster, view, entry, count))
        return seating

    def _seater(self, cluster: ClusterName, view: View) -> Seater:
        known = self.ledger.cluster(cluster)
        return Seater(self, view, binds=known is None or known.binds_devices)

    def scores(self, fit: Fit) -> Scores:
        """Return the scores of states for a demand."""
        scores = self._scores.get(fit)
        if scores is None:
            if len(self._scores) >= MOST_RANKINGS:
                self._scores.clear()
            scores = self._scores[fit] = Scores(fit, self._scorer)
        return scores

    def ranking(self, room: Room) -> Ranking:
        """Return the states of a room by score."""
        ranking = self._rankings.get(room)
        if ranking is None:
            if len(self._rankings) >= MOST_RANKINGS:
                self._rankings.clear()
            ranking = self._rankings[room] = Ranking(self.ledger.inventory.entries, room, self.scores(room.fit))
        return ranking


class _Plan(Seater):
    """Says how many workers go on which node, and seats nobody."""

    __slots__ = ("nodes",)

    def __init__(self, placer: Placer, view: View, *, binds: bool) -> None:
        super().__init__(placer, view, binds=binds)
        self.nodes: list[tuple[NodeEntry, int]] = []

    def on_node(self, entry: NodeEntry, workers: int) -> None:
        """Write down that so many workers go on a node."""
        self.nodes.append((entry, workers))
