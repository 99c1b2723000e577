"""ID tokens: what one has to be like before a word of it is believed."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from scheduler.adapters.oidc.key_set import ALGORITHMS, Key
from scheduler.ports.identity import ProofRefused

LEEWAY_S = 60
LONGEST_TOKEN = 16_384
OLDEST_S = 24 * 3600
"""How long ago a token may have been made, however long it says that it is good."""
_HEADERS = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
"""All that a header may have: none that names a key, an address of one, or a rule of its own."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a token has to say."""

    issuer: str
    audience: str
    nonce: str | None
    """None: the flow has none."""
    now: datetime


def read_id_token(
    token: str, find_key: Callable[[str | None, str], Key | None], expected: Expectation
) -> Mapping[str, Any]:
    """Return the claims of a token that the issuer signed for us, now. Raises ProofRefused, and what `find_key` does.

    The algorithm is one of a fixed list, and has to fit the key that the issuer published.
    """
    header = _header(token)
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ProofRefused(f"the ID token is not signed by one of {', '.join(sorted(ALGORITHMS))}")
    if set(header) - _HEADERS or header.get("typ", "JWT") != "JWT" or not isinstance(key_id, str | None):
        raise ProofRefused("the ID token's header says more than it may")
    key = find_key(key_id, algorithm)
    if key is None:
        raise ProofRefused("the ID token is signed with a key that the issuer does not publish")
    try:
        signed = jws.deserialize_compact(token, key, algorithms=[algorithm])
        claims = json.loads(signed.payload)
    except (JoseError, ValueError, RecursionError):
        raise ProofRefused("the ID token's signature is wrong") from None
    if not isinstance(claims, dict):
        raise ProofRefused("the ID token holds no claims")
    _check(claims, expected)
    return claims


def _header(token: str) -> Mapping[str, Any]:
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or not token.isascii() or len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise ProofRefused("that is no ID token")
    try:
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ProofRefused("that is no ID token")
    return header


def _check(claims: Mapping[str, Any], expected: Expectation) -> None:
    now_s = expected.now.timestamp()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != expected.issuer:
        raise ProofRefused("the ID token is of another issuer")
    if expected.audience not in audiences:
        raise ProofRefused("the ID token was made for somebody else")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != expected.audience:
        raise ProofRefused("the ID token was made for somebody else")
    if now_s >= _moment(claims, "exp") + LEEWAY_S:
        raise ProofRefused("the ID token is expired")
    if _moment(claims, "iat") > now_s + LEEWAY_S or ("nbf" in claims and _moment(claims, "nbf") > now_s + LEEWAY_S):
        raise ProofRefused("the ID token is not good yet: are both clocks right?")
    if now_s - _moment(claims, "iat") > OLDEST_S:
        raise ProofRefused("the ID token is older than a day")
    if expected.nonce is not None and claims.get("nonce") != expected.nonce:
        raise ProofRefused("the ID token belongs to another login")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:  # noqa: PLR2004 - as OpenID Connect has it
        raise ProofRefused("the ID token does not say who it is about")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise ProofRefused(f"the ID token's {name} is no time")
    return float(value)
