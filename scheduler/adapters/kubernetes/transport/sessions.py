"""The connections under the credentials of the moment."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3

from scheduler.adapters.kubernetes.transport.connections import Wire
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
        self._wire = Wire()
        self._loading = threading.Lock()
        """Held by the one that loads; whoever has a session does not wait for it."""
        self._session: Session | None = None
        self._marks: tuple[tuple[int, int, int], ...] = ()
        self._looked_s = float("-inf")
        self._renewed_s = float("-inf")
        self._failure: Unreachable | None = None

    def current(self, deadline_s: float) -> Session:
        """Return the session, loaded if there is none or a file of its credentials changed. Raises Unreachable.

        Where files that changed cannot be loaded, or not in half of the time until the deadline, the session before
        them stays and the log says so. While one call loads, the others go on with the session that there is.
        """
        session = self._session
        if session is None:
            with self._turn(deadline_s) as has_turn:
                return self._first(deadline_s, has_turn=has_turn)
        if self._timing.monotonic_s() - self._looked_s >= LOOK_S:
            with self._turn() as has_turn:
                now_s = self._timing.monotonic_s()
                if has_turn and self._session is session and now_s - self._looked_s >= LOOK_S:
                    self._looked_s = now_s
                    if marks(self._credentials, session.access) != self._marks:
                        self._reload(session, (deadline_s - now_s) / 2)
                return self._session or session
        return session

    def renewed(self, refused: Session, deadline_s: float) -> Session | None:
        """Return a session with other credentials than those that the server refused, None where there are none."""
        with self._turn(deadline_s if self._is_due() else None) as has_turn:
            if self._session is refused:
                if not has_turn or not self._is_due():
                    return None
                self._renewed_s = self._timing.monotonic_s()
                self._reload(refused, deadline_s - self._renewed_s)
            session = self._session
        if session is None or (
            session.access.authorization == refused.access.authorization
            and session.access.has_same_connection(refused.access)
        ):
            return None
        return session

    def close(self) -> None:
        """End all answers that are waited for, and close the connections."""
        self._wire.close()
        session = self._session
        if session is not None:
            session.pool.clear()

    def _is_due(self) -> bool:
        return self._timing.monotonic_s() - self._renewed_s >= RENEWAL_S

    @contextmanager
    def _turn(self, deadline_s: float | None = None) -> Iterator[bool]:
        """Hold the turn to load; gives False where another has it, until the deadline if there is one."""
        wait_s = 0.0 if deadline_s is None else max(deadline_s - self._timing.monotonic_s(), 0.0)
        has_turn = self._loading.acquire(timeout=wait_s)
        try:
            yield has_turn
        finally:
            if has_turn:
                self._loading.release()

    def _first(self, deadline_s: float, *, has_turn: bool) -> Session:
        if self._session is not None:
            return self._session  # another call loaded it meanwhile
        if not has_turn:
            raise Unreachable(f"the credentials in {self._credentials.source} are still being loaded; try again later")
        now_s = self._timing.monotonic_s()
        if self._failure is not None and now_s - self._looked_s < FAILED_S:
            raise self._failure
        try:
            session = self._open(self._loader.load(deadline_s - now_s))
        except Unreachable as error:
            self._failure = error
            raise
        finally:
            self._looked_s = self._timing.monotonic_s()
        self._session, self._failure = session, None
        self._marks = marks(self._credentials, session.access)
        return session

    def _reload(self, old: Session, within_s: float) -> None:
        found = marks(self._credentials, old.access)
        try:
            access = self._loader.load(within_s)
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
            return self._wire.lay(
                urllib3.ProxyManager(access.proxy, maxsize=self._connections, retries=False, **options)
            )
        return self._wire.lay(urllib3.PoolManager(maxsize=self._connections, retries=False, **options))


def _headers(access: Access) -> dict[str, str]:
    headers = {"User-Agent": "medley"}
    if access.authorization is not None:
        headers["Authorization"] = access.authorization
    return headers
