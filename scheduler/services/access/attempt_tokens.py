"""Tokens of workers: good for one generation of one attempt, derived rather than stored."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from scheduler.core.model.identifiers import AttemptId

PREFIX = "mda_"
MOST_GENERATION_DIGITS = 9


@dataclass(frozen=True, slots=True)
class AttemptClaim:
    """What a genuine attempt token says. Whether that attempt still lives is the database's to say."""

    attempt: AttemptId
    generation: int


class AttemptTokens:
    """Makes and checks attempt tokens with the server's secret.

    A token is a function of attempt, generation and secret: a start that is repeated after a crash hands out the
    same one, and nothing has to be kept.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def mint(self, attempt: AttemptId, generation: int) -> str:
        """Return the token, `mda_ATTEMPT_GENERATION_SIGNATURE`."""
        return f"{PREFIX}{attempt}_{generation}_{self._signature(attempt, generation)}"

    def verify(self, token: str) -> AttemptClaim | None:
        """Return what a genuine token claims, None for any other text."""
        attempt, _, rest = token.removeprefix(PREFIX).partition("_")
        number, _, signature = rest.partition("_")
        if not token.startswith(PREFIX) or not (
            number.isascii() and number.isdigit() and len(number) <= MOST_GENERATION_DIGITS
        ):
            return None
        wanted = self._signature(attempt, int(number))
        if not hmac.compare_digest(signature.encode(), wanted.encode()):
            return None
        return AttemptClaim(attempt, int(number))

    def _signature(self, attempt: AttemptId, generation: int) -> str:
        digest = hmac.digest(self._secret, f"{attempt}\n{generation}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
