"""The dashboard's files in memory: read once, compressed once, under an address that changes when any of them does."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from api.permissions import PERMISSIONS, Open

PAGE = "index.html"
TYPES: Mapping[str, str] = MappingProxyType(
    {
        "css": "text/css; charset=utf-8",
        "html": "text/html; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
        "txt": "text/plain; charset=utf-8",
    }
)
"""By the end of the name; a file of another kind is not served."""
MARK = "{{files}}"
"""Where the page names the folder of all other files."""
PUBLIC = "{{public}}"
"""Where the page names what anybody may call, so that the login asks for nothing that is not there."""
PRELOADS = "<!-- preloads -->"
"""Where the page names every module, so that a browser asks for all at once and not one after the other."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent."""

    media_type: str
    content: bytes
    compressed: bytes
    """With gzip."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The page, and the files it is made of."""

    digest: str
    """Of all files together; a part of their address, so that browsers may keep them for good."""
    page: StaticFile
    files: Mapping[str, StaticFile]
    """By their path below the folder."""


@cache
def dashboard() -> Dashboard:
    """Return the shipped dashboard."""
    contents = dict(sorted(_read(files("api.dashboard") / "static", "")))
    digest = hashlib.sha256(b"".join(name.encode() + content for name, content in contents.items())).hexdigest()[:16]
    page = _page(contents.pop(PAGE).decode(), digest, contents)
    served = {name: _static_file(name, content) for name, content in contents.items()}
    return Dashboard(digest, _static_file(PAGE, page.encode()), MappingProxyType(served))


def _read(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _read(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in TYPES:
            yield f"{prefix}{entry.name}", entry.read_bytes()


def _page(template: str, digest: str, contents: Mapping[str, bytes]) -> str:
    """Return the page; its addresses are relative, so that it works behind a proxy that adds a path."""
    folder = f"dashboard/{digest}"
    modules = [name for name in contents if name.endswith(".js")]
    preloads = "\n".join(f'<link rel="modulepreload" href="{folder}/{name}">' for name in modules)
    public = " ".join(sorted(name for name, access in PERMISSIONS.items() if access is Open.PUBLIC))
    return template.replace(MARK, folder).replace(PRELOADS, preloads).replace(PUBLIC, public)


def _static_file(name: str, content: bytes) -> StaticFile:
    return StaticFile(TYPES[name.rpartition(".")[2]], content, gzip.compress(content, mtime=0))
