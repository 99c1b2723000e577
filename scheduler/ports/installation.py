"""What all processes of one Medley have in common, kept beside what they work on."""

from typing import Protocol


class Installation(Protocol):
    """The row that says which Medley a database belongs to. Any method may raise StorageUnavailable."""

    def fingerprint(self) -> str:
        """Return the fingerprint of the server's secret; empty where no server ever ran on the database."""
        ...

    def agree(self, fingerprint: str, *, may_replace: bool) -> bool:
        """Keep the fingerprint where there is none, or another may be replaced; says whether it is now the kept one."""
        ...
