"""What can go wrong for a user of the client or the command: each error says what, why and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medley.exit_codes import ExitCode

_EXIT_CODES = {
    401: ExitCode.DENIED,
    403: ExitCode.DENIED,
    404: ExitCode.NOT_FOUND,
    408: ExitCode.UNAVAILABLE,
    409: ExitCode.CONFLICT,
    412: ExitCode.CONFLICT,
    429: ExitCode.UNAVAILABLE,
}
_FIRST_SERVER_ERROR = 500
_UNKNOWN_REFERENCE = "unknown-reference"
"""The code of a request that names a thing that does not exist."""


class MedleyError(Exception):
    """Base of all errors here; carries the exit status that the command ends with."""

    def __init__(self, what: str, *, next_step: str | None, exit_code: ExitCode) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.exit_code = exit_code


class NotLoggedIn(MedleyError):
    """No address and token are known."""

    def __init__(
        self, what: str, *, next_step: str = "medley login ADDRESS   (or set MEDLEY_ADDRESS and MEDLEY_TOKEN)"
    ) -> None:
        super().__init__(what, next_step=next_step, exit_code=ExitCode.DENIED)


class BadUsage(MedleyError):
    """The command was called in a way that cannot work."""

    def __init__(self, what: str, *, next_step: str | None = None) -> None:
        super().__init__(what, next_step=next_step, exit_code=ExitCode.USAGE)


class NotFound(MedleyError):
    """Nothing has the name that was given."""

    def __init__(self, what: str, *, next_step: str | None = None) -> None:
        super().__init__(what, next_step=next_step, exit_code=ExitCode.NOT_FOUND)


class TimeIsOver(MedleyError):
    """What was waited for did not come in time."""

    def __init__(self, what: str, *, next_step: str | None = None) -> None:
        super().__init__(what, next_step=next_step, exit_code=ExitCode.TIMEOUT)


class Detached(MedleyError):
    """Ctrl-C ended the watching of a job, not the job."""

    def __init__(self, what: str, *, next_step: str) -> None:
        super().__init__(what, next_step=next_step, exit_code=ExitCode.INTERRUPTED)


class OutputLost(MedleyError):
    """What was to be printed could not be written."""

    def __init__(self, why: str) -> None:
        next_step = "see that stdout can be written; `> /dev/null` throws away what is printed"
        super().__init__(f"the output cannot be written: {why}", next_step=next_step, exit_code=ExitCode.OUTPUT)


class Unreachable(MedleyError):
    """No answer came from the server. `was_sent` says whether it may have acted on the request all the same."""

    def __init__(self, address: str, why: str, *, was_sent: bool) -> None:
        super().__init__(
            f"the server at {address} does not answer: {why}",
            next_step="check that it runs (`medley serve` starts one), and its address (`medley login ADDRESS`)",
            exit_code=ExitCode.UNAVAILABLE,
        )
        self.was_sent = was_sent


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request; `pointer` is a JSON pointer (RFC 6901) such as `/chips/0`."""

    pointer: str
    detail: str


class ApiProblem(MedleyError):
    """The server refused: a problem of RFC 9457, or what could be made of another answer."""

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after_s: float | None = None) -> None:
        self.status = status
        self.code = str(problem.get("code") or f"http-{status}")
        self.title = str(problem.get("title") or self.code)
        self.detail = str(problem.get("detail") or self.title)
        self.request_id: str | None = problem.get("request_id")
        self.errors = _field_errors(problem.get("errors"))
        self.retry_after_s = retry_after_s
        """How long the server asks to be left alone, where it does."""
        super().__init__(self.detail, next_step=problem.get("next"), exit_code=_exit_code(status, self.code))


def _exit_code(status: int, code: str) -> ExitCode:
    if status >= _FIRST_SERVER_ERROR:
        return ExitCode.UNAVAILABLE
    return ExitCode.NOT_FOUND if code == _UNKNOWN_REFERENCE else _EXIT_CODES.get(status, ExitCode.USAGE)


def _field_errors(listed: object) -> tuple[FieldError, ...]:
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return tuple(FieldError(str(row.get("pointer") or ""), str(row.get("detail") or "")) for row in rows)
