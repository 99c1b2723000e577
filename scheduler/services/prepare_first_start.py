"""What a database needs before anybody can use it: the chip catalogue and one operator token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scheduler.core.model.chip import ChipType
from scheduler.core.model.tenant import Role
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.directory import Directory
from scheduler.services.access.grant_access import Grant, draft_token


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What a first start works with."""

    chips: Sequence[ChipType]
    """The shipped catalogue."""
    keep_secret: Callable[[str], None]
    """Puts the operator token's secret where only the operator reads it."""


FIRST_TOKEN = "first-operator"  # noqa: S105 - a name, not a secret


def prepare_first_start(
    directory: Directory, clock: Clock, identifiers: IdentifierSource, *, first_start: FirstStart
) -> None:
    """Define the shipped chip types that are missing, and make the operator token of a database that has no token.

    The secret is kept before the database knows its hash: a crash in between leaves a secret that opens nothing and
    is replaced at the next start, never a token whose secret nobody has. A chip type that is there keeps what an
    operator made of it.
    """
    known = {chip.name for chip in directory.chips()}
    directory.define_chips([chip for chip in first_start.chips if chip.name not in known], clock.now())
    if directory.tokens(tenant=None, after=None, limit=1):
        return
    grant = Grant(name=FIRST_TOKEN, role=Role.OPERATOR, tenant=None, user=None, valid_days=None)
    new = draft_token(clock, identifiers, grant)
    first_start.keep_secret(new.secret)
    directory.create_token(new.token)
