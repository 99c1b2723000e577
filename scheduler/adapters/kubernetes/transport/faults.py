"""What can go wrong with a request, in words for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Self

RETRYABLE = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
LONGEST_MESSAGE = 1000


class Unreachable(Exception):
    """Nobody answered as an API server does, or the credentials cannot be used. The message is for people."""


class Garbled(Unreachable):
    """Somebody answered, but not with what can be read: no JSON, cut off, or longer than is accepted."""


class ApiFault(Exception):
    """The API server answered no."""

    def __init__(
        self,
        status: int,
        *,
        reason: str = "",
        message: str = "",
        retry_after_s: float | None = None,
        details: Mapping[str, Any] | None = None,
        asked: str = "",
    ) -> None:
        """`message` is the server's own; `asked` names the request, as `GET /api/v1/pods`."""
        self.status = status
        self.reason = reason
        self.message = message[:LONGEST_MESSAGE]
        self.retry_after_s = retry_after_s
        self.details: Mapping[str, Any] = details if details is not None else {}
        own_words = self.message if self.message != reason else ""
        said = ": ".join(part for part in (asked, f"{status} {reason}".strip(), own_words) if part)
        super().__init__(said + _next_step(status, self.message))

    @classmethod
    def from_status(cls, status: int, document: Any, *, asked: str, retry_after_s: float | None = None) -> Self:
        """Return what a `Status` document says; anything else stands for itself."""
        if not isinstance(document, Mapping):
            return cls(status, message=str(document), retry_after_s=retry_after_s, asked=asked)
        details = document.get("details")
        details = details if isinstance(details, Mapping) else {}
        return cls(
            status,
            reason=str(document.get("reason") or ""),
            message=str(document.get("message") or ""),
            retry_after_s=seconds(details.get("retryAfterSeconds")) if retry_after_s is None else retry_after_s,
            details=details,
            asked=asked,
        )

    @property
    def is_retryable(self) -> bool:
        """Say whether the same request may succeed later: overload, timeouts and faults of the server itself."""
        return self.status in RETRYABLE


def seconds(value: Any) -> float | None:
    """Return a number of seconds as the API writes it, None where it is none: 0 stands for no promise."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None


def _next_step(status: int, message: str) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return "; the credentials are not accepted: they may have expired or be those of another cluster; renew them"
    if status == HTTPStatus.FORBIDDEN and " cannot " in message:
        return "; let an administrator grant this permission"
    return ""
