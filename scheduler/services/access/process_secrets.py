"""What follows from the server's secret for processes that work together: that they have the same one, and know it."""

import base64
import hashlib
import hmac

from scheduler.ports.installation import Installation

PREFIX = "mdp_"


class OtherSecret(Exception):
    """The database belongs to a Medley with another server secret."""


class NoServerYet(Exception):
    """No scheduler ever ran on the database."""


def claim_secret(installation: Installation, secret: bytes, *, may_replace: bool) -> None:
    """Make the secret the database's, unless it has another that may not be replaced. Raises OtherSecret."""
    if not installation.agree(fingerprint(secret), may_replace=may_replace):
        raise OtherSecret


def require_same_secret(installation: Installation, secret: bytes) -> None:
    """Raise OtherSecret or NoServerYet unless the secret is the database's."""
    kept = installation.fingerprint()
    if not kept:
        raise NoServerYet
    if kept != fingerprint(secret):
        raise OtherSecret


def fingerprint(secret: bytes) -> str:
    """Return what tells secrets apart and says nothing of them."""
    return hmac.digest(secret, b"fingerprint", hashlib.sha256).hex()[:32]


def process_token(secret: bytes) -> str:
    """Return what one process of a Medley shows to another."""
    digest = hmac.digest(secret, b"process", hashlib.sha256)
    return PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")
