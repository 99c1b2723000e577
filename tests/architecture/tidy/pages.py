"""The links and headings of Markdown pages."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from tests.architecture.tidy.source import Source

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
OUTSIDE = ("http:", "https:", "mailto:")


def dead_links(pages: Iterable[Source], files: Mapping[PurePosixPath, Source]) -> Iterator[str]:
    """Yield one complaint per link that leads to no file of the project, or to no heading of a page."""
    folders = {folder for path in files for folder in path.parents}
    for page in pages:
        for target in links(page):
            name, _, anchor = target.partition("#")
            path = _resolve(page.path.parent, name) if name else page.path
            if path not in files and path not in folders:
                yield f"{page.path}: links to {target}, which is not there"
            elif anchor and (path not in files or anchor not in anchors(files[path])):
                yield f"{page.path}: links to {target}, but {path} has no such heading"


def links(page: Source) -> list[str]:
    """Return where a page's links into the project lead; code is not looked at."""
    text = CODE.sub("", FENCE.sub("", page.text))
    return [target for target in LINK.findall(text) if not target.startswith(OUTSIDE)]


def anchors(page: Source) -> set[str]:
    """Return the names of a page's headings as links use them: lower case, dashes for spaces, no punctuation."""
    headings = HEADING.findall(FENCE.sub("", page.text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _resolve(folder: PurePosixPath, name: str) -> PurePosixPath:
    parts: list[str] = []
    for part in (folder / name).parts:
        if part == "..":
            if not parts:
                return PurePosixPath("..") / name
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)
