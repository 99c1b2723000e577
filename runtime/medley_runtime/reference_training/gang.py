"""The workers of one training as a process group of torch."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed import (  # type: ignore[attr-defined]  # torch does not say that it exports them
    HashStore,
    Store,
    TCPStore,
)

from medley_runtime.api_client import ApiClient
from medley_runtime.devices import Device
from medley_runtime.endings import RendezvousFailed, TrainingFailed
from medley_runtime.job.agreement import Exchange
from medley_runtime.job.exchange import SIDE_LIMIT_S, exchange_over
from medley_runtime.launch import Launch
from medley_runtime.rendezvous import (
    RENDEZVOUS_LIMIT_S,
    Address,
    ask_address,
    listen,
    own_host,
    register_address,
)

COLLECTIVE_LIMIT_S = 300.0
"""A worker that is silent this long has failed; above the time that a vendor's compiler takes for a first step."""
DIGEST_BYTES = 32
SAME, MIXED = "same", "mixed"


class Gang:
    """What the ranks do together. Every call is made by all ranks, in the same order."""

    def __init__(self, launch: Launch, device: Device, *, is_mixed: bool) -> None:
        """`is_mixed`: the ranks' devices have no collective library in common, so all exchange goes through the CPU."""
        self.rank = launch.in_program.rank
        self.world_size = launch.in_program.world_size
        self._is_mixed = is_mixed
        self._exchange = torch.device("cpu" if is_mixed else device.torch_name)

    def average(self, values: Tensor) -> None:
        """Replace the values by their mean over the ranks. Raises TrainingFailed."""
        staged = values.to(self._exchange)
        with _peers_needed("averaging the gradients"):
            distributed.all_reduce(staged)
        torch.div(staged.to(values.device), self.world_size, out=values)

    def align(self, values: Tensor) -> None:
        """Keep the ranks' weights the same to the last bit.

        Devices of one family round alike, so nothing is to be done; in a mixed gang all take rank 0's.
        Raises TrainingFailed.
        """
        if not self._is_mixed:
            return
        staged = values.to(self._exchange)
        with _peers_needed("sharing the weights"):
            distributed.broadcast(staged, src=0)
        values.copy_(staged)

    def exchange(self) -> Exchange | None:
        """Return how ranks exchange figures between steps, None for a lone one."""
        return None if self.world_size == 1 else exchange_over(self.side_group())

    def side_group(self) -> Any:
        """Return a process group on the CPU, for what goes on beside the training; the ranks may be far apart there."""
        with _peers_needed("making a group for checkpoints"):
            return distributed.new_group(backend="gloo", timeout=timedelta(seconds=SIDE_LIMIT_S))

    def gather_digests(self, digest: bytes) -> list[bytes]:
        """Return every rank's digest, by rank. Raises TrainingFailed."""
        own = torch.frombuffer(bytearray(digest), dtype=torch.uint8).to(self._exchange)
        every = [torch.zeros(DIGEST_BYTES, dtype=torch.uint8, device=self._exchange) for _ in range(self.world_size)]
        with _peers_needed("comparing the weights"):
            distributed.all_gather(every, own)
        return [bytes(one.tolist()) for one in every]


@contextmanager
def joined_gang(launch: Launch, device: Device, client: ApiClient) -> Iterator[Gang]:
    """Meet the other ranks, and leave them when done. Raises RendezvousFailed, AttemptClosed."""
    _stay_on_loopback(launch)
    try:
        store = _meet(launch, client)
        is_mixed = _agree(launch, device, store)
        store.set_timeout(timedelta(seconds=COLLECTIVE_LIMIT_S))
        distributed.init_process_group(
            "gloo" if is_mixed else device.backend,
            store=store,
            rank=launch.in_program.rank,
            world_size=launch.in_program.world_size,
            timeout=timedelta(seconds=COLLECTIVE_LIMIT_S),
        )
    except RuntimeError as error:  # what torch raises for all trouble with stores and groups
        trainers = launch.in_program
        reason = f"rank {trainers.rank} could not join the gang of {trainers.world_size}: {_gist(error)}"
        raise RendezvousFailed(f"{reason}; see the logs of the other ranks") from error
    yield Gang(launch, device, is_mixed=is_mixed)
    distributed.destroy_process_group()


def _meet(launch: Launch, client: ApiClient) -> Store:
    """Return the store that all ranks share: rank 0 keeps it, on a port that it holds before it is registered.

    The first of those that train is rank 0 of the whole gang, whose address is also told to what does not train.
    """
    if launch.world_size == 1:
        return HashStore()
    deadline = time.monotonic() + RENDEZVOUS_LIMIT_S
    listener = None
    if launch.rank == 0:
        host = own_host(launch.api_url)
        listener = listen(host)
        address = Address(host, int(listener.getsockname()[1]))
    else:
        address = ask_address(launch, client)
    store = TCPStore(
        address.host,
        address.port,
        launch.in_program.world_size,
        is_master=listener is not None,
        timeout=timedelta(seconds=max(deadline - time.monotonic(), 1.0)),
        wait_for_workers=False,
        master_listen_fd=_handed_over(listener),
    )
    if launch.rank == 0:
        register_address(launch, client, address)
    return store


def _handed_over(listener: socket.socket | None) -> int | None:
    return None if listener is None else listener.detach()


def _agree(launch: Launch, device: Device, store: Store) -> bool:
    """Return whether the ranks' devices are of more than one family: rank 0 hears all ranks and tells them."""
    store.set(f"family/{launch.in_program.rank}", device.family)
    if launch.rank == 0:
        families = {store.get(f"family/{rank}") for rank in range(launch.in_program.world_size)}
        store.set("families", SAME if len(families) == 1 else MIXED)
    return bool(store.get("families").decode() == MIXED)


def _stay_on_loopback(launch: Launch) -> None:
    """Keep gloo on the loopback interface where the API is reached there; by itself it may take another."""
    names = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    if names and (launch.world_size == 1 or ip_address(own_host(launch.api_url)).is_loopback):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", names[0])


@contextmanager
def _peers_needed(what: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what torch raises when a peer is gone or silent
        reason = f"{what} failed: {_gist(error)}"
        raise TrainingFailed(
            f"{reason}; most likely another worker has ended, see the logs of the other ranks"
        ) from error


def _gist(error: Exception) -> str:
    """Return the first sentence of an error of torch's, without the place in its sources."""
    return re.sub(r"^\[[^\]]*\] ", "", str(error)).split("\n", 1)[0].split(". ", 1)[0]
