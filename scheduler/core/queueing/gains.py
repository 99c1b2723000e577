"""What there is more of than there was, newest first: whoever waited for it looks only at what came since."""

from collections.abc import Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Gains(Generic[Key]):
    """Keys with the number of the latest change that brought more of each. Bounded by how many keys there are."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: dict[Key, int] = {}
        """Oldest first."""

    def note(self, key: Key, number: int) -> None:
        """Note that there is more of something; numbers never fall."""
        self._latest.pop(key, None)
        self._latest[key] = number

    def forget(self, key: Key) -> None:
        """Forget what nobody can wait for any more."""
        self._latest.pop(key, None)

    def since(self, number: int) -> Iterator[Key]:
        """Yield what there came more of after a change, newest first."""
        for key in reversed(self._latest):
            if self._latest[key] <= number:
                return
            yield key
