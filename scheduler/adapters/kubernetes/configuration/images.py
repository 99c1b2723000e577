"""References of container images, and which of them tenants may run."""

import re
from dataclasses import dataclass, field

DEFAULT_REGISTRY = "docker.io"
"""What container runtimes put before a reference that names no registry."""
DEFAULT_FOLDER = "library"
"""What they put before a single name there."""
LONGEST = 512

_HOST_PART = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_REGISTRY = re.compile(rf"{_HOST_PART}(?:\.{_HOST_PART})*(?::[0-9]{{1,5}})?")
_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST_REPOSITORY = 255


class BadImage(ValueError):
    """Text that names no image; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole name of an image."""

    text: str = field(compare=False)
    """As it was written."""
    registry: str
    repository: str
    """Such as `team/training`."""
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read `[registry/]repository[:tag][@sha256:digest]`. Raises BadImage."""
        if len(text) > LONGEST:
            raise BadImage(f"an image's name has at most {LONGEST} characters, not {len(text):,}")
        rest, at, digest = text.partition("@")
        if at and not _DIGEST.fullmatch(digest):
            raise BadImage(f"{text[:80]!r} does not end in @sha256: and 64 hexadecimal digits")
        rest, colon, tag = _split_tag(rest)
        if colon and not _TAG.fullmatch(tag):
            raise BadImage(f"{text[:80]!r} has a tag that is none")
        registry, repository = _split_registry(rest)
        if not _REGISTRY.fullmatch(registry):
            raise BadImage(f"{text[:80]!r} does not begin with the name of a registry")
        _require_repository(repository, text)
        return cls(text, registry, repository, tag if colon else None, digest if at else None)


@dataclass(frozen=True, slots=True)
class ImageRule:
    """Images that tenants may run: all below a folder, all of one repository, or a single one."""

    text: str
    """As it was written."""
    reference: Reference | None
    registry: str
    folder: str
    """Below this, ending with a slash or empty, where there is no `reference`."""

    @classmethod
    def parse(cls, text: str) -> "ImageRule":
        """Read an image's reference, or a folder of images with a slash at its end. Raises BadImage.

        A reference with neither tag nor digest allows every image of its repository. One with a tag does not allow the
        same tag with a digest, because then only the digest counts.
        """
        if not text.endswith("/"):
            reference = Reference.parse(text)
            return cls(text, reference, reference.registry, "")
        first, _, rest = text.partition("/")
        registry, folder = (first, rest) if _is_registry(first) else (DEFAULT_REGISTRY, text)
        if not _REGISTRY.fullmatch(registry):
            raise BadImage(f"{text[:80]!r} does not begin with the name of a registry")
        if folder:
            _require_repository(folder[:-1], text)
        return cls(text, None, registry, folder)

    def allows(self, image: Reference) -> bool:
        """Say whether an image is among these."""
        if image.registry != self.registry:
            return False
        if self.reference is None:
            return image.repository.startswith(self.folder)
        if image.repository != self.reference.repository:
            return False
        if self.reference.tag is None and self.reference.digest is None:
            return True
        return (image.tag, image.digest) == (self.reference.tag, self.reference.digest)


def _split_tag(text: str) -> tuple[str, bool, str]:
    """Split off what follows the last colon, unless it is a registry's port."""
    before, colon, after = text.rpartition(":")
    if not colon or "/" in after:
        return text, False, ""
    return before, True, after


def _split_registry(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    if slash and _is_registry(first):
        if first == DEFAULT_REGISTRY and "/" not in rest:
            rest = f"{DEFAULT_FOLDER}/{rest}"
        return first, rest
    return DEFAULT_REGISTRY, text if slash else f"{DEFAULT_FOLDER}/{text}"


def _is_registry(first: str) -> bool:
    """Tell the registry as container runtimes do: it has a dot or a port, or is `localhost`."""
    return "." in first or ":" in first or first == "localhost"


def _require_repository(repository: str, text: str) -> None:
    if len(repository) > _LONGEST_REPOSITORY or not all(_PART.fullmatch(part) for part in repository.split("/")):
        raise BadImage(f"{text[:80]!r} is no image: its parts are lower-case letters and digits, joined by . _ or -")
