"""Whether workers could reach the API now, as seen from a process that is not it."""

import logging
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)

WITHIN_S = 2.0


class ApiReach:
    """Asks the API under the address that workers call, and says in the log when that changes."""

    def __init__(self, api_url: str) -> None:
        self._url = api_url
        self._was_reached = True

    def is_there(self) -> bool:
        """Say whether the API answers, within 2 s, that it is ready; heartbeats reach the database only then."""
        trouble = self._trouble()
        if trouble is not None and self._was_reached:
            logger.warning("the API at %s %s: that workers are not heard does not count meanwhile", self._url, trouble)
        if trouble is None and not self._was_reached:
            logger.warning("the API at %s is there again: silence counts from now on", self._url)
        self._was_reached = trouble is None
        return self._was_reached

    def _trouble(self) -> str | None:
        address = urlsplit(self._url)
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = kind(address.netloc, timeout=WITHIN_S)
        try:
            connection.request("GET", f"{address.path.rstrip('/')}/readyz")
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            return f"does not answer ({error or type(error).__name__})"
        finally:
            connection.close()
        return None if status == HTTPStatus.OK else f"answers with {status}"
