"""The table of profiles on a database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Connection, delete, select, tuple_

from scheduler.adapters.database.documents import LAYER_PROFILE
from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.reads.listed import LISTED, in_chunks, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.usage import profiles
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.adapters.database.usage.measured_chips import lock_chips
from scheduler.adapters.database.writer import Writer
from scheduler.adapters.database.writes.reports.speakers import speakers_of, speaking
from scheduler.core.model.access.audit import Act, Actor
from scheduler.core.model.change import ProfilesChanged
from scheduler.core.model.identifiers import AttemptId, TenantName
from scheduler.core.model.measuring.layers import (
    MOST_PROFILES,
    LayerProfile,
    LayerSpeed,
    MeasuredLayers,
    Profile,
    ProfileKey,
    layer_speed_of,
    learnt_layers,
    said_layers,
)
from scheduler.core.model.measuring.throughput import JobFamily
from scheduler.ports.journal import Guard, Rejected, unguarded
from scheduler.ports.records.profiles import CLOSEST_REPORTS_S

_COLUMNS = tuple(profiles.primary_key.columns)
_KEY = tuple_(*_COLUMNS)
_ALL = select(profiles).order_by(*_COLUMNS)
_LISTED = select(profiles).where(_KEY.in_(LISTED))
_OLDEST = select(profiles).where(profiles.c.said.is_(None)).order_by(profiles.c.at.desc(), *_COLUMNS)

_Key = tuple[JobFamily, ProfileKey]


@dataclass(frozen=True, slots=True)
class _Said:
    """Who measured something."""

    attempt: AttemptId
    generation: int


class DatabaseProfiles:
    """Fulfils ports.records.profiles.ProfileTable."""

    def __init__(self, engines: Engines, writer: Writer, actor: Actor | None = None) -> None:
        self._engines = engines
        self._writer = writer
        self._actor = actor

    def acting(self, actor: Actor) -> Self:
        """Return the table whose edits are in somebody's name."""
        return type(self)(self._engines, self._writer, actor)

    def all(self, tenant: TenantName | None) -> list[Profile]:
        """Return all of one tenant's, or of every tenant."""
        with self._engines.read() as connection:
            return read_profiles(connection, tenant)

    def of(self, family: JobFamily) -> list[Profile]:
        """Return all of one family."""
        asked = _ALL.where(profiles.c.tenant == family.tenant, profiles.c.family == family.name)
        with self._engines.read() as connection:
            return list(map(_profile, connection.execute(asked)))

    def get(self, family: JobFamily, key: ProfileKey) -> Profile | None:
        """Return one of them."""
        asked = _ALL.where(tuple_(*_COLUMNS) == tuple_(*_named(family, key)))
        with self._engines.read() as connection:
            row = connection.execute(asked).first()
        return None if row is None else _profile(row)

    def set(
        self, family: JobFamily, key: ProfileKey, times: LayerProfile, at: datetime, guard: Guard = unguarded
    ) -> Profile:
        """Say how long layers take."""

        def write(transaction: Transaction) -> Profile:
            lock_chips(transaction.connection, [key.chip])
            known = _find(transaction.connection, [(family, key)]).get((family, key))
            guard(known)
            new = said_layers(known, family, key, times, at)
            transaction.insert_or_replace(profiles, [_row(new)])
            _tell(transaction, at, known, new)
            _note(transaction, at, [(known, new)])
            return new

        return self._writer.call(write, self._actor)

    def remove(self, family: JobFamily, key: ProfileKey, at: datetime, guard: Guard = unguarded) -> bool:
        """Forget what was said and what was measured."""

        def write(transaction: Transaction) -> bool:
            lock_chips(transaction.connection, [key.chip])
            known = _find(transaction.connection, [(family, key)]).get((family, key))
            if known is None:
                return False
            guard(known)
            _drop(transaction, [known])
            _tell(transaction, at, known, None)
            _note(transaction, at, [(known, None)])
            return True

        return self._writer.call(write, self._actor)

    def learn(
        self, attempt: AttemptId, generation: int, measured: Sequence[MeasuredLayers], at: datetime
    ) -> list[Profile] | Rejected:
        """Take in what an attempt measured."""
        said = _Said(attempt, generation)

        def write(transaction: Transaction) -> list[Profile] | Rejected:
            speaker = speaking(speakers_of(transaction, [said]), said)
            if isinstance(speaker, Rejected):
                return speaker
            chips = lock_chips(transaction.connection, (one.key.chip for one in measured))
            new = [one for one in measured if one.key.chip in chips]
            known = _find(transaction.connection, ((one.family, one.key) for one in new))
            new = [one for one in new if not _is_too_close(known.get((one.family, one.key)), at)]
            before = [known.get((one.family, one.key)) for one in new]
            after = [learnt_layers(there, one, at) for there, one in zip(before, new, strict=True)]
            transaction.insert_or_replace(profiles, list(map(_row, after)))
            oldest = _too_many(transaction) if None in before else []
            _drop(transaction, oldest)
            _note(transaction, at, [*zip(before, after, strict=True), *((one, None) for one in oldest)])
            return after

        return self._writer.call(write)


def read_profiles(connection: Connection, tenant: TenantName | None) -> list[Profile]:
    """Return all of one tenant's, or of every tenant."""
    asked = _ALL if tenant is None else _ALL.where(profiles.c.tenant == tenant)
    return list(map(_profile, connection.execute(asked)))


def _is_too_close(known: Profile | None, at: datetime) -> bool:
    """Say whether it was measured a moment ago; a clock that was set back silences nobody."""
    return known is not None and known.reports > 0 and abs(at - known.at) < timedelta(seconds=CLOSEST_REPORTS_S)


def _find(connection: Connection, keys: Iterable[_Key]) -> dict[_Key, Profile]:
    """Return those that there are."""
    found = map(_profile, rows_listed(connection, _LISTED, [_named(family, key) for family, key in keys]))
    return {(one.family, one.key): one for one in found}


def _too_many(transaction: Transaction) -> list[Profile]:
    """Return those that were longest not heard of, where there are more than are kept."""
    return list(map(_profile, transaction.connection.execute(_OLDEST.offset(MOST_PROFILES))))


def _drop(transaction: Transaction, those: Sequence[Profile]) -> None:
    statement = delete(profiles).where(_KEY.in_(LISTED))
    for chunk in in_chunks([_named(one.family, one.key) for one in those]):
        transaction.connection.execute(statement, {LISTED.key: chunk})


def _tell(transaction: Transaction, at: datetime, before: Profile | None, after: Profile | None) -> None:
    family, key = next((one.family, one.key) for one in (after, before) if one is not None)
    name = "/".join(map(str, _named(family, key)))
    transaction.audit(Act("profile", name, family.tenant, at, _told(before), _told(after)))


def _told(one: Profile | None) -> dict[str, float | None] | None:
    if one is None:
        return None
    forward_s, backward_s = (None, None) if one.said is None else (one.said.layer_forward_s, one.said.layer_backward_s)
    return {"layer_forward_s": forward_s, "layer_backward_s": backward_s, "version": one.version}


def _note(transaction: Transaction, at: datetime, changes: Iterable[tuple[Profile | None, Profile | None]]) -> None:
    """Add to the feed what is planned with of these changes, tenant by tenant; what changed too little is not there."""
    found: dict[TenantName, dict[_Key, LayerSpeed]] = {}
    for before, after in changes:
        was = None if before is None else layer_speed_of(before)
        now = layer_speed_of(after) if after is not None else None if was is None else replace(was, times=None)
        if now is not None and now != was:
            found.setdefault(now.family.tenant, {})[now.family, now.key] = now
    for tenant, speeds in sorted(found.items()):
        transaction.add(Draft(at, ProfilesChanged(tuple(speeds.values())), tenant=tenant))


def _named(family: JobFamily, key: ProfileKey) -> tuple[Any, ...]:
    return family.tenant, family.name, key.chip, key.tensor_parallel, key.micro_batch


def _row(one: Profile) -> Row:
    return {
        "tenant": one.family.tenant,
        "family": one.family.name,
        "chip": one.key.chip,
        "tensor_parallel": one.key.tensor_parallel,
        "micro_batch": one.key.micro_batch,
        "measured": None if one.measured is None else LAYER_PROFILE.encode(one.measured),
        "reports": one.reports,
        "said": None if one.said is None else LAYER_PROFILE.encode(one.said),
        "version": one.version,
        "at": one.at,
        "times": LAYER_PROFILE.encode(one.times),
    }


def _profile(row: AnyRow) -> Profile:
    family, key = JobFamily(row.tenant, row.family), ProfileKey(row.chip, row.tensor_parallel, row.micro_batch)
    measured = None if row.measured is None else LAYER_PROFILE.decode(row.measured)
    said = None if row.said is None else LAYER_PROFILE.decode(row.said)
    return Profile(family, key, measured, row.reports, said, row.version, row.at, LAYER_PROFILE.decode(row.times))
