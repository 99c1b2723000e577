"""The connections under the credentials of the moment."""

import logging
import threading
from dataclasses import dataclass
from typing import Any

import urllib3

from scheduler.adapters.kubernetes.transport.credentials import Access, Credentials, Loader, marks
from scheduler.adapters.kubernetes.transport.faults import Unreachable
from scheduler.adapters.kubernetes.transport.timing import Timing

LOOK_S = 5.0
"""How often the files of the credentials are looked at."""
FAILED_S = 1.0
"""For how long a failure to load them stands for the calls that come."""
RENEWAL_S = 10.0
"""After refusals the credentials are loaded anew at most this often: a plugin may be dear."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """Loaded credentials and connections that fit them."""

    access: Access
    pool: urllib3.PoolManager
    headers: dict[str, str]


class Sessions:
    """Gives every call the session of the moment."""

    def __init__(self, credentials: Credentials, *, connections: int, timing: Timing) -> None:
        """`connections` stay open between requests."""
        self._credentials = credentials
        self._loader = Loader(credentials)
        self._connections = connections
        self._timing = timing
        self._guard = threading.Lock()
        self._session: Session | None = None
        self._marks: tuple[tuple[int, int, int], ...] = ()
        self._looked_s = float("-inf")
        self._renewed_s = float("-inf")
        self._failure: Unreachable | None = None

    def current(self) -> Session:
        """Return the session, loaded if there is none or a file of its credentials changed. Raises Unreachable.

        Where files that changed cannot be loaded, the session before them stays and the log says so.
        """
        with self._guard:
            now_s = self._timing.monotonic_s()
            if self._session is None:
                if self._failure is not None and now_s - self._looked_s < FAILED_S:
                    raise self._failure
                return self._first()
            if now_s - self._looked_s >= LOOK_S:
                self._looked_s = now_s
                if marks(self._credentials, self._session.access) != self._marks:
                    self._reload(self._session)
            return self._session

    def renewed(self, refused: Session) -> Session | None:
        """Return a session with other credentials than those that the server refused, None where there are none."""
        with self._guard:
            if self._session is refused:
                now_s = self._timing.monotonic_s()
                if now_s - self._renewed_s < RENEWAL_S:
                    return None
                self._renewed_s = now_s
                self._reload(refused)
            session = self._session
            if session is None or (
                session.access.authorization == refused.access.authorization
                and session.access.has_same_connection(refused.access)
            ):
                return None
            return session

    def close(self) -> None:
        """Close the connections that nobody uses; the others close when they are given back."""
        with self._guard:
            if self._session is not None:
                self._session.pool.clear()

    def _first(self) -> Session:
        try:
            session = self._open(self._loader.load())
        except Unreachable as error:
            self._failure = error
            raise
        finally:
            self._looked_s = self._timing.monotonic_s()
        self._session, self._failure = session, None
        self._marks = marks(self._credentials, session.access)
        return session

    def _reload(self, old: Session) -> None:
        found = marks(self._credentials, old.access)
        try:
            access = self._loader.load()
            if access.has_same_connection(old.access):
                self._session = Session(access, old.pool, _headers(access))
            else:
                self._session = self._open(access)
                old.pool.clear()
        except Unreachable as error:
            logger.warning("the credentials cannot be loaded anew, those from before stay in use: %s", error)
            return
        self._marks = found if access.material == old.access.material else marks(self._credentials, access)

    def _open(self, access: Access) -> Session:
        source = self._credentials.source
        try:
            context = access.tls_context() if access.server.startswith("https:") else None
            pool = self._pool(
                access, {"ssl_context": context, "server_hostname": access.server_name} if context else {}
            )
        except (OSError, ValueError) as error:
            raise Unreachable(
                f"the certificates or the key of {source} cannot be used: {error}; take them anew from the cluster"
            ) from error
        if context is not None and not access.is_verified:
            logger.warning("%s is talked to without looking at its certificate, as %s says", access.server, source)
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # one line for each request
        return Session(access, pool, _headers(access))

    def _pool(self, access: Access, options: dict[str, Any]) -> urllib3.PoolManager:
        if access.proxy is not None:
            return urllib3.ProxyManager(
                access.proxy,
                maxsize=self._connections,
                retries=False,
                **options,
            )
        return urllib3.PoolManager(maxsize=self._connections, retries=False, **options)


def _headers(access: Access) -> dict[str, str]:
    headers = {"User-Agent": "medley"}
    if access.authorization is not None:
        headers["Authorization"] = access.authorization
    return headers
