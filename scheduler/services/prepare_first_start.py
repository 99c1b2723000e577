"""What a database needs before anybody can use it: the chip catalogue and one operator token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scheduler.core.model.access.audit import Actor
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


OPERATOR_TOKEN = "operator"  # noqa: S105 - a name, not a secret
THE_SERVER = Actor("server", None, None, "make_operator_token", "start")
"""In whose name an operator token is made by whoever may run the server itself."""


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
    if not directory.tokens(tenant=None, after=None, limit=1):
        make_operator_token(directory, clock, identifiers, keep_secret=first_start.keep_secret)


def make_operator_token(
    directory: Directory, clock: Clock, identifiers: IdentifierSource, *, keep_secret: Callable[[str], None]
) -> None:
    """Make an operator token on behalf of whoever runs this process; older ones stay valid until revoked.

    It is the one token without an end: there has to be a way in.
    """
    grant = Grant(name=OPERATOR_TOKEN, role=Role.OPERATOR, tenant=None, user=None, valid_days=None)
    new = draft_token(clock, identifiers, grant)
    keep_secret(new.secret)
    directory.acting(THE_SERVER).create_token(new.token)
