"""From a bearer token to the principal behind it."""

import hashlib
import secrets
import string
import zlib

from scheduler.core.model.tenant import Principal
from scheduler.ports.clock import Clock
from scheduler.ports.directory import Directory

PREFIX = "mdl_"
SECRET_LENGTH = 32
CHECKSUM_LENGTH = 6
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def new_secret() -> str:
    """Return a new token: a prefix that scanners recognise, 32 random characters, a checksum of all before it."""
    body = PREFIX + "".join(secrets.choice(BASE62) for _ in range(SECRET_LENGTH))
    return body + _checksum(body)


def is_well_formed(secret: str) -> bool:
    """Say whether a text has the form and checksum of a token; most typing errors end here."""
    if len(secret) != len(PREFIX) + SECRET_LENGTH + CHECKSUM_LENGTH or not secret.isascii():
        return False
    body = secret[:-CHECKSUM_LENGTH]
    return body.startswith(PREFIX) and secret[-CHECKSUM_LENGTH:] == _checksum(body)


def secret_sha256(secret: str) -> str:
    """Return what is kept of a token. Tokens have full entropy, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(directory: Directory, clock: Clock, secret: str) -> Principal | None:
    """Return who holds the token; None for an unknown, malformed, expired or revoked one."""
    if not is_well_formed(secret):
        return None
    token = directory.token_by_secret(secret_sha256(secret))
    if token is None or not token.is_valid(clock.now()):
        return None
    return Principal(token_id=token.id, name=token.user or f"token:{token.name}", role=token.role, tenant=token.tenant)


def _checksum(body: str) -> str:
    rest = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(BASE62))
        digits = BASE62[digit] + digits
    return digits
