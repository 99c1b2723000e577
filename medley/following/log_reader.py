"""Reads what workers print, from where it stopped, and cuts it into lines."""

from collections.abc import Callable, Iterator

from medley.answers import Json
from medley.client import Client


class LogReader:
    """Stands somewhere in the output of one rank, or of all where `rank` is None.

    It reads one attempt; where `attempt` is None the latest, and from there on each further one.
    """

    def __init__(self, client: Client, job_id: str, *, attempt: int | None, rank: int | None) -> None:
        self._client = client
        self._job_id = job_id
        self._where = {"attempt": attempt, "rank": rank}
        self._cursor: str | None = None
        self.is_complete = False
        """What it reads is over and was read to its end."""

    def new_entries(self) -> Iterator[Json]:
        """Yield what was printed since the last call, until there is no more for now."""
        while not self.is_complete:
            page = self._client.logs(self._job_id, cursor=self._cursor, **self._where)
            self._cursor, self.is_complete = page["next"], page["is_complete"]
            yield from page["entries"]
            if not page["entries"]:
                return


class LineCutter:
    """Makes whole lines of the pieces that come from several ranks."""

    def __init__(self, prefix: Callable[[int], str]) -> None:
        self._prefix = prefix
        """Put before each line of a rank."""
        self._rests: dict[tuple[int, int], str] = {}

    def lines(self, entry: Json) -> Iterator[str]:
        """Yield the lines that are whole now."""
        if skipped := entry.get("skipped_bytes"):
            yield self._prefixed(entry["rank"], f"... {skipped:,} older bytes are no longer kept ...")
        place = (entry["attempt"], entry["rank"])
        *whole, rest = (self._rests.get(place, "") + entry["text"]).split("\n")
        self._rests[place] = rest
        for line in whole:
            yield self._prefixed(entry["rank"], line)

    def rests(self) -> Iterator[str]:
        """Yield what never ended with a line break."""
        for (_, rank), rest in sorted(self._rests.items()):
            if rest:
                yield self._prefixed(rank, rest)
        self._rests.clear()

    def _prefixed(self, rank: int, line: str) -> str:
        return self._prefix(rank) + line
