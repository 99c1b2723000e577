"""How the workers of a gang find rank 0: it registers its address at the API, and the others ask there.

No worker is told an address by the scheduler, because only rank 0 knows which port it could bind.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from medley_runtime.api_client import ApiClient, ApiRefused, ApiUnreachable, Patience, Request
from medley_runtime.endings import RendezvousFailed
from medley_runtime.launch import Launch

RENDEZVOUS_LIMIT_S = 600.0
"""Long enough for a server to be restarted, and for a slow node to fetch its image."""
ANSWER_LIMIT_S = 10.0
LONG_POLL_S = 20
NOT_READY = "rendezvous-not-ready"
NOT_READY_PAUSE_S = 0.05


@dataclass(frozen=True)
class Address:
    """Where rank 0 listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write host:port, with brackets around an IPv6 host."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return the address that `str` wrote. Raises RendezvousFailed."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise RendezvousFailed(f"the API gave {text!r} as rank 0's address, which is not host:port; see rank 0's log")
    return Address(host.strip("[]"), int(port))


def own_host(api_url: str) -> str:
    """Return this machine's address on the network that reaches the API; a loopback API gives a loopback address.

    Raises RendezvousFailed.
    """
    url = urlsplit(api_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        for family, kind, _, _, target in socket.getaddrinfo(url.hostname, port, type=socket.SOCK_DGRAM):
            with socket.socket(family, kind) as probe:
                probe.connect(target)  # of a datagram socket: picks a route, sends nothing
                return str(probe.getsockname()[0])
    except OSError as error:
        reason = f"this worker has no way to the API at {api_url}: {error}"
        raise RendezvousFailed(f"{reason}; check the name and the node's network") from error
    raise RendezvousFailed(f"the API's name in {api_url} has no address; check the name and the node's network")


def listen(host: str) -> socket.socket:
    """Return a socket that listens on a free port of this address. Raises RendezvousFailed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, 0), family=family)
    except OSError as error:
        text = f"rank 0 cannot listen on {host}: {error}; check the node's network"
        raise RendezvousFailed(text) from error


def register_address(launch: Launch, client: ApiClient, address: Address) -> None:
    """Tell the API where rank 0 listens. Raises RendezvousFailed, AttemptClosed."""
    body = {"generation": launch.generation, "address": str(address)}
    request = Request("PUT", _path(launch), body)
    try:
        client.call(request, Patience(RENDEZVOUS_LIMIT_S, ANSWER_LIMIT_S))
    except (ApiUnreachable, ApiRefused) as error:
        raise RendezvousFailed(f"rank 0 could not register its address: {error}") from error


def ask_address(launch: Launch, client: ApiClient, limit_s: float = RENDEZVOUS_LIMIT_S) -> Address:
    """Return where rank 0 listens, as soon as it has registered. Raises RendezvousFailed, AttemptClosed."""
    request = Request("GET", f"{_path(launch)}?generation={launch.generation}&wait_s={LONG_POLL_S}", {})
    deadline = time.monotonic() + limit_s
    while True:
        remaining_s = max(deadline - time.monotonic(), 0.0)
        try:
            answer = client.call(request, Patience(remaining_s, LONG_POLL_S + ANSWER_LIMIT_S))
        except ApiUnreachable as error:
            raise RendezvousFailed(f"rank {launch.rank} could not ask for rank 0's address: {error}") from error
        except ApiRefused as error:
            if error.code != NOT_READY:
                raise RendezvousFailed(f"rank {launch.rank} may not ask for rank 0's address: {error}") from error
        else:
            return parse_address(str(answer.get("address", "")))
        if time.monotonic() >= deadline:
            text = f"rank 0 registered no address within {limit_s:g} s; see the log of rank 0"
            raise RendezvousFailed(text)
        time.sleep(NOT_READY_PAUSE_S)  # in case the server answers without waiting


def _path(launch: Launch) -> str:
    return f"/v1/attempts/{quote(launch.attempt, safe='')}/rendezvous"
