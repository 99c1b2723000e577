"""Where the command finds address and token: in the environment, else in the file that login writes.

The file keeps several logins, each under the name of its context; one of them is in use.
"""

import fcntl
import ipaddress
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from medley.errors import BadUsage, NotFound, NotLoggedIn

_OWNER_ONLY = 0o077
_LARGEST_FILE_BYTES = 1024 * 1024
FIRST_CONTEXT = "default"
"""What a login is kept under where no name is given, and those of files that know no contexts."""
MOST_CONTEXTS = 50
_CONTEXT = re.compile(r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?")
_TOKEN = re.compile(r"[!-~]{1,512}")


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a login over an organisation's own login is made anew."""

    issuer: str
    client_id: str
    expires_at: str
    """When the token ends; RFC 3339."""
    refresh_token: str | None
    """None: only a person can log in anew."""

    def __repr__(self) -> str:
        return f"Renewal(issuer={self.issuer!r}, refresh_token=...)"


@dataclass(frozen=True, slots=True)
class Login:
    """A server and what opens it."""

    address: str
    token: str
    renewal: Renewal | None = None
    """None for a token that somebody made."""
    context: str | None = field(default=None, compare=False)
    """The name it is kept under; None where it is not kept."""

    def __repr__(self) -> str:
        return f"Login(address={self.address!r}, token=...)"


@dataclass(frozen=True, slots=True)
class Logins:
    """All that is kept: a login each for several servers, tenants or roles, by the name of its context."""

    by_context: Mapping[str, Login]
    current: str = FIRST_CONTEXT
    """The one in use; there may be none of this name."""


class BrokenLogins(BadUsage):
    """The file of logins cannot be understood."""


def login_path(environment: Mapping[str, str]) -> Path:
    """Return where the login is kept: $MEDLEY_CONFIG, or medley/login.json in the user's folder of configuration."""
    if chosen := environment.get("MEDLEY_CONFIG"):
        return Path(chosen)
    folder = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".config")
    return Path(folder) / "medley" / "login.json"


def find_login(environment: Mapping[str, str]) -> Login:
    """Return the login to use. Raises NotLoggedIn, and BadUsage for a file that cannot be used.

    A stored token is only ever sent to the address that it was stored with.
    """
    address, token = environment.get("MEDLEY_ADDRESS"), environment.get("MEDLEY_TOKEN")
    if address and token:
        return Login(clean_address(address), clean_token(token))
    chosen = environment.get("MEDLEY_CONTEXT")
    logins = load_all(login_path(environment))
    if chosen and chosen not in logins.by_context:
        raise unknown_context(chosen, logins)
    stored = logins.by_context.get(chosen or logins.current)
    if stored is None and logins.by_context:
        raise NotLoggedIn("no context is in use", next_step="medley context use NAME   (medley context lists them)")
    if stored is None:
        missing = "you are not logged in" if not (address or token) else "address and token are not both known"
        raise NotLoggedIn(missing)
    if address and clean_address(address) != stored.address:
        raise NotLoggedIn(f"the stored token is for {stored.address}, not for {clean_address(address)}")
    return Login(stored.address, clean_token(token)) if token else stored


def unknown_context(name: str, logins: Logins) -> NotFound:
    """Return that there is no such context, and which one may have been meant."""
    close = get_close_matches(name, logins.by_context, n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return NotFound(f"there is no context `{name}`{hint}", next_step="medley context   (lists them)")


def clean_context(name: str) -> str:
    """Return the name. Raises BadUsage where it can be none of a context."""
    if not _CONTEXT.fullmatch(name):
        raise BadUsage(
            f"{name!r} cannot be the name of a context: it must have letters, digits and - _ . only, "
            "begin and end with a letter or digit, and have at most 63 of them"
        )
    return name


def clean_token(token: str) -> str:
    """Return the token without spaces around it. Raises BadUsage, which does not show it, where it can be none."""
    text = token.strip()
    if not _TOKEN.fullmatch(text):
        raise BadUsage("that is no token: a token is one word of visible characters, such as mdl_...")
    return text


def load(path: Path, context: str | None = None) -> Login | None:
    """Read the login of a context, else of the one in use; None where there is none. Raises as `load_all`."""
    logins = load_all(path)
    return logins.by_context.get(logins.current if context is None else context)


def load_all(path: Path) -> Logins:
    """Read all logins. Raises BadUsage where others can read the file, and BrokenLogins where it holds none."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LARGEST_FILE_BYTES)
    except FileNotFoundError:
        return Logins({})
    except OSError as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}") from error
    if mode & _OWNER_ONLY:
        raise BadUsage(f"others can read the token in {path}", next_step=f"chmod 600 {path}")
    try:
        return _logins(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenLogins(f"{path} holds no login", next_step="medley login ADDRESS   (writes it anew)") from error


def _logins(stored: dict[str, Any]) -> Logins:
    """Raises ValueError, KeyError, TypeError or AttributeError where there are none."""
    others = {clean_context(name): _login(other, name) for name, other in stored.get("others", {}).items()}
    current = clean_context(stored.get("context", FIRST_CONTEXT))
    if "others" in stored and "address" not in stored:
        return Logins(others, current)
    return Logins({current: _login(stored, current), **others}, current)


def _login(stored: dict[str, Any], context: str) -> Login:
    address, token = clean_address(stored["address"]), clean_token(stored["token"])
    return Login(address, token, _renewal(stored.get("renewal")), context)


def _renewal(stored: object) -> Renewal | None:
    """Raises KeyError, TypeError or ValueError where it is none."""
    if stored is None:
        return None
    if not isinstance(stored, dict):
        raise TypeError("a renewal is an object")
    moment = datetime.fromisoformat(stored["expires_at"])
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    refresh_token = stored.get("refresh_token")
    return Renewal(
        issuer=str(stored["issuer"]),
        client_id=str(stored["client_id"]),
        expires_at=stored["expires_at"],
        refresh_token=None if refresh_token is None else str(refresh_token),
    )


def save(path: Path, login: Login) -> None:
    """Keep a login under its context beside the others: whole or not at all, for its owner alone. Raises BadUsage.

    Without a context it takes the place of the one in use. A file that cannot be understood is written anew.
    """
    try:
        logins = load_all(path)
    except BrokenLogins:
        logins = Logins({})
    context = login.context or logins.current
    kept = {**logins.by_context, context: replace(login, context=context)}
    if len(kept) > MOST_CONTEXTS:
        next_step = "medley context rm NAME"
        raise BadUsage(f"there are {MOST_CONTEXTS} contexts, and no more are kept", next_step=next_step)
    save_all(path, Logins(kept, logins.current))


def save_all(path: Path, logins: Logins) -> None:
    """Write the file whole or not at all, readable by its owner only. Raises BadUsage where that cannot be done."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".login-")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(_document(logins), file)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadUsage(
            f"{path} cannot be written: {error.strerror}", next_step="set MEDLEY_CONFIG to a file that can"
        ) from error


def _document(logins: Logins) -> dict[str, Any]:
    """Return what is written: the login in use as a file without contexts has it, then the others."""
    entries = {
        name: {key: value for key, value in asdict(login).items() if value is not None and key != "context"}
        for name, login in logins.by_context.items()
    }
    others = {name: entry for name, entry in entries.items() if name != logins.current}
    in_use = entries.get(logins.current, {})
    named = {} if logins.current == FIRST_CONTEXT else {"context": logins.current}
    return {**in_use, **named, **({"others": others} if others or not in_use else {})}


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the stored login against other commands of the same user. Raises BadUsage where its folder is no use."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadUsage(f"{lock} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def clean_address(address: str) -> str:
    """Return the address as `scheme://host[:port]`; without a scheme this machine is http, any other https.

    Raises BadUsage for anything else.
    """
    text = address.strip()
    if "://" not in text:
        text = f"{'http' if is_loopback(f'//{text}') else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        has_host = False
        parts = urlsplit("")
    extra = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not has_host or extra or any(c.isspace() for c in text):
        raise BadUsage(f"{address!r} is no server's address", next_step="give one such as http://127.0.0.1:8080")
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(address: str) -> bool:
    """Say whether an address is this machine's own."""
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
