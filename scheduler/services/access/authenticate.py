"""From a bearer token to the principal behind it."""

import hashlib
import secrets
import string
import zlib
from datetime import timedelta

from scheduler.core.model.tenant import Principal
from scheduler.ports.clock import Clock
from scheduler.ports.directory import Directory

PREFIX = "mdl_"
SECRET_LENGTH = 32
CHECKSUM_LENGTH = 6
USE_NOTED_EVERY = timedelta(minutes=5)
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def new_secret() -> str:
    """Return a new token: a prefix that scanners recognise, 32 random characters, a checksum of all before it."""
    return secret_of("".join(secrets.choice(BASE62) for _ in range(SECRET_LENGTH)))


def secret_of(letters: str) -> str:
    """Return the token that these random characters make."""
    return PREFIX + letters + _checksum(PREFIX + letters)


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
    """Return who holds the token; None for an unknown, malformed, expired or revoked one, or a disabled user's.

    Asks the directory each time: what is revoked opens nothing from then on. That a token is used is noted there every
    few minutes, without waiting for it.
    """
    if not is_well_formed(secret):
        return None
    holder, now = directory.holder_of(secret_sha256(secret)), clock.now()
    if holder is None or not holder.may_enter(now):
        return None
    token = holder.token
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        directory.note_use(token.id, now)
    return Principal(
        token_id=token.id,
        name=token.user or f"token:{token.name}",
        role=token.role,
        tenant=token.tenant,
        scope=token.scope,
        expires_at=token.expires_at,
        is_login=token.is_login,
        user=token.user,
    )


def _checksum(body: str) -> str:
    rest = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(BASE62))
        digits = BASE62[digit] + digits
    return digits
