"""What is asked of a server about how fast jobs are."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from medley.answers import Json

_WHOLE = {"limit": 200}


class SpeedCalls:
    """Throughputs of families, and profiles of their models' layers, over a client's way of asking."""

    def __init__(self, send: Callable[..., Json], pages: Callable[..., Iterator[Json]]) -> None:
        self._send = send
        self._pages = pages

    def throughputs(self) -> list[Json]:
        """Return how fast families of jobs are on one device of each chip type."""
        return list(self._pages("/v1/throughputs", _WHOLE))

    def set_throughput(self, tenant: str, family: str, chip: str, units_per_s: float) -> Json:
        """Say how fast a family is on a chip type, whatever is measured."""
        return self._send("PUT", _path("throughputs", tenant, family, chip), body={"units_per_s": units_per_s})

    def remove_throughput(self, tenant: str, family: str, chip: str) -> None:
        """Forget what was said and measured of it."""
        self._send("DELETE", _path("throughputs", tenant, family, chip))

    def profiles(self) -> list[Json]:
        """Return how long a layer of each family's model takes, by chip type and how it is run there."""
        return list(self._pages("/v1/profiles", _WHOLE))

    def set_profile(self, family: tuple[str, str], run: tuple[str, int, int], times: Mapping[str, Any]) -> Json:
        """Say how long a layer takes, whatever is measured.

        `family` is a tenant and a family of it, `run` a chip type, a tensor-parallel degree and a micro-batch, `times`
        the body of `PUT /v1/profiles/...`.
        """
        return self._send("PUT", _path("profiles", *family, *run), body=dict(times))

    def remove_profile(self, family: tuple[str, str], run: tuple[str, int, int]) -> None:
        """Forget what was said and measured of it."""
        self._send("DELETE", _path("profiles", *family, *run))


def _path(kind: str, *parts: str | int) -> str:
    return "/".join(("/v1", kind, *(quote(str(part), safe="") for part in parts)))
