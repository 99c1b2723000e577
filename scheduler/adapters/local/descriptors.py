"""How many files this process may have open: the watcher needs one for each worker."""

import resource
from contextlib import suppress
from functools import cache


@cache
def ordinary_limit() -> int:
    """Return the limit that this process was started with, which its workers get."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def raise_limit() -> int:
    """Raise the limit of this process as far as the system allows without rights; return what it is then."""
    ordinary_limit()  # it is remembered before it changes
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # the system's own limit was lowered since: the old one stays
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
