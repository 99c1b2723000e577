"""Hostile ID tokens: whatever a token says of itself, only what the issuer signed for us, now, is believed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from scheduler.adapters.oidc.id_tokens import Expectation, read_id_token
from scheduler.adapters.oidc.key_set import KeySet, usable_keys
from scheduler.ports.identity import ProofRefused

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
ISSUER, US = "https://issuer.test", "medley"
EXPECTED = Expectation(ISSUER, US, "the-nonce", NOW)
CLAIMS = {"iss": ISSUER, "aud": US, "sub": "1", "iat": NOW_S, "exp": NOW_S + 300, "nonce": "the-nonce"}
RSA, STRANGER = (RSAKey.generate_key(2048) for _ in range(2))
with pytest.warns(SecurityWarning):
    SMALL_RSA = RSAKey.generate_key(1024)
EC, ED, BIG_EC = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519"), ECKey.generate_key("P-384")


def published(key: Any, key_id: str, **differing: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": key_id, "use": "sig", **differing}


DOCUMENT = {
    "keys": [
        published(RSA, "rsa"),
        published(EC, "ec"),
        published(ED, "ed"),
        published(SMALL_RSA, "small"),
        published(BIG_EC, "big"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "RSA", "n": "AQAB", "e": "?", "kid": "broken"},
        {"kty": "RSA", "kid": "empty"},
        published(STRANGER, "for-encryption", use="enc"),
        "no key",
    ]
}


class Clock:
    def __init__(self) -> None:
        self.monotonic = 1000.0

    def now(self) -> datetime:
        return NOW

    def monotonic_s(self) -> float:
        return self.monotonic


def key_set() -> KeySet:
    return KeySet(lambda: DOCUMENT, Clock())


def read(token: str, expected: Expectation = EXPECTED) -> Any:
    return read_id_token(token, key_set().find, expected)


def signed(key: Any = RSA, header: dict[str, Any] | None = None, **claims: Any) -> str:
    wanted = {name: value for name, value in {**CLAIMS, **claims}.items() if value != "left out"}
    head = {"alg": "RS256", "kid": "rsa", **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    return jws.serialize_compact(head, json.dumps(wanted), key, algorithms=[str(head["alg"])])


def encoded(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def by_hand(header: Any, claims: Any = CLAIMS, signature: bytes = b"x" * 256) -> str:
    return f"{encoded(header)}.{encoded(claims)}.{encoded(signature)}"


def really_signed(header: dict[str, Any]) -> str:
    """A token with a header that no library would make, signed with the issuer's own key all the same."""
    body = f"{encoded(header)}.{encoded(CLAIMS)}"
    key: Any = RSA.private_key
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - for this alone
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

    return f"{body}.{encoded(key.sign(body.encode(), PKCS1v15(), SHA256()))}"


def hmac_with_public_key() -> str:
    """The old trick: the public key as the secret of a HMAC."""
    body = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(CLAIMS)}"
    return f"{body}.{encoded(hmac.digest(RSA.as_pem(private=False), body.encode(), hashlib.sha256))}"


GOOD = signed()
HEAD, BODY, SIGNATURE = GOOD.split(".")
HOSTILE: dict[str, Callable[[], str]] = {
    "no signature, alg none": lambda: f"{encoded({'alg': 'none'})}.{BODY}.",
    "alg None in capitals": lambda: f"{encoded({'alg': 'NONE'})}.{BODY}.",
    "alg none with the old signature": lambda: f"{encoded({'alg': 'none', 'kid': 'rsa'})}.{BODY}.{SIGNATURE}",
    "no alg": lambda: by_hand({"kid": "rsa"}),
    "alg is a list": lambda: by_hand({"alg": ["RS256"], "kid": "rsa"}),
    "alg is null": lambda: by_hand({"alg": None, "kid": "rsa"}),
    "HMAC with the public key": hmac_with_public_key,
    "HMAC with a published secret": lambda: signed(OctKey.import_key(b"s" * 32), {"alg": "HS256", "kid": "oct"}),
    "another RSA algorithm": lambda: signed(RSA, {"alg": "PS256"}),
    "a longer hash": lambda: signed(RSA, {"alg": "RS512"}),
    "an elliptic key as RSA": lambda: signed(RSA, {"kid": "ec"}),
    "an RSA key as elliptic": lambda: signed(EC, {"alg": "ES256", "kid": "rsa"}),
    "another curve": lambda: signed(BIG_EC, {"alg": "ES384", "kid": "big"}),
    "a stranger's key": lambda: signed(STRANGER),
    "a stranger's key with its own id": lambda: signed(STRANGER, {"kid": "stranger"}),
    "a key for encryption": lambda: signed(STRANGER, {"kid": "for-encryption"}),
    "a short key": lambda: signed(SMALL_RSA, {"kid": "small"}),
    "a key that is broken": lambda: signed(RSA, {"kid": "broken"}),
    "a key in the header": lambda: really_signed(
        {"alg": "RS256", "kid": "rsa", "jwk": STRANGER.as_dict(private=False)}
    ),
    "an address of keys in the header": lambda: really_signed(
        {"alg": "RS256", "kid": "rsa", "jku": "https://elsewhere.test/keys"}
    ),
    "an address of a certificate in the header": lambda: really_signed(
        {"alg": "RS256", "kid": "rsa", "x5u": "https://elsewhere.test/cert"}
    ),
    "a certificate in the header": lambda: really_signed({"alg": "RS256", "kid": "rsa", "x5c": ["MII"]}),
    "an extension it calls critical": lambda: really_signed(
        {"alg": "RS256", "kid": "rsa", "crit": ["exp"], "exp": NOW_S}
    ),
    "a body that is not encoded": lambda: really_signed({"alg": "RS256", "kid": "rsa", "b64": False}),
    "a packed body": lambda: really_signed({"alg": "RS256", "kid": "rsa", "zip": "DEF"}),
    "a kid that is a path": lambda: by_hand({"alg": "RS256", "kid": "../../etc/passwd"}),
    "a kid that is a statement": lambda: by_hand({"alg": "RS256", "kid": "' OR 1=1 --"}),
    "a kid that is a number": lambda: by_hand({"alg": "RS256", "kid": 1}),
    "a kid that is a list": lambda: by_hand({"alg": "RS256", "kid": ["rsa"]}),
    "another kind of token": lambda: really_signed({"alg": "RS256", "kid": "rsa", "typ": "at+jwt"}),
    "a changed body": lambda: f"{HEAD}.{encoded({**CLAIMS, 'sub': '2'})}.{SIGNATURE}",
    "a changed head": lambda: f"{encoded({'alg': 'RS256', 'kid': 'rsa', 'typ': 'JWT'})}.{BODY}.{SIGNATURE}",
    "an empty signature": lambda: f"{HEAD}.{BODY}.",
    "half a signature": lambda: f"{HEAD}.{BODY}.{SIGNATURE[:100]}",
    "four parts": lambda: f"{GOOD}.{SIGNATURE}",
    "two parts": lambda: f"{HEAD}.{BODY}",
    "five parts, as encrypted ones have": lambda: "a.b.c.d.e",
    "a head that is no JSON": lambda: f"{encoded(b'{')}.{BODY}.{SIGNATURE}",
    "a head that is a list": lambda: f"{encoded([])}.{BODY}.{SIGNATURE}",
    "a head that is deep": lambda: f"{encoded(b'[' * 9000)}.{BODY}.{SIGNATURE}",
    "a body that is no JSON": lambda: jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, "{", RSA),
    "a body that is a list": lambda: jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, "[]", RSA),
    "a huge one": lambda: f"{HEAD}.{BODY}{'A' * 20_000}.{SIGNATURE}",
    "nothing": lambda: "",
    "no base64": lambda: "é.é.é",
    "another issuer": lambda: signed(iss="https://issuer.test.elsewhere"),
    "an issuer with a slash": lambda: signed(iss=f"{ISSUER}/"),
    "no issuer": lambda: signed(iss="left out"),
    "another audience": lambda: signed(aud="another"),
    "an audience that begins alike": lambda: signed(aud="medley-command"),
    "no audience": lambda: signed(aud="left out"),
    "an audience that is a mapping": lambda: signed(aud={"medley": 1}),
    "two audiences, made for the other": lambda: signed(aud=[US, "another"], azp="another"),
    "two audiences, made for nobody": lambda: signed(aud=[US, "another"]),
    "made for another party": lambda: signed(azp="another"),
    "expired": lambda: signed(iat=NOW_S - 400, exp=NOW_S - 60),
    "no end": lambda: signed(exp="left out"),
    "an end that is a text": lambda: signed(exp=str(NOW_S + 300)),
    "an end that is true": lambda: signed(exp=True),
    "an end that is not finite": lambda: signed(exp=float("inf")),
    "an end that is no number": lambda: signed(exp=float("nan")),
    "made in the future": lambda: signed(iat=NOW_S + 61),
    "made when nobody knows": lambda: signed(iat="left out"),
    "made long ago, good for ever": lambda: signed(iat=NOW_S - 90_000, exp=2**39),
    "not good yet": lambda: signed(nbf=NOW_S + 61),
    "another login's": lambda: signed(nonce="another"),
    "no login's": lambda: signed(nonce="left out"),
    "about nobody": lambda: signed(sub="left out"),
    "about an empty name": lambda: signed(sub=""),
    "about a number": lambda: signed(sub=1),
    "about a name without end": lambda: signed(sub="x" * 256),
}


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_hostile_token_proves_nothing(kind: str) -> None:
    with pytest.raises(ProofRefused):
        read(HOSTILE[kind]())


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(
    ("key", "header"),
    [
        (RSA, {"alg": "RS256", "kid": "rsa"}),
        (EC, {"alg": "ES256", "kid": "ec"}),
        (ED, {"alg": "EdDSA", "kid": "ed"}),
        (ED, {"alg": "Ed25519", "kid": "ed"}),
        (RSA, {"alg": "RS256", "kid": None}),
        (RSA, {"alg": "RS256", "kid": "rsa", "typ": "JWT", "x5t": "abc"}),
    ],
    ids=[
        "RSA",
        "elliptic",
        "Edwards",
        "Edwards, its newer name",
        "the only key of its family, without an id",
        "with a thumbprint",
    ],
)
def test_what_the_issuer_signed_is_believed(key: Any, header: dict[str, Any]) -> None:
    assert read(signed(key, header))["sub"] == "1"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [US]},
        {"aud": [US, "another"], "azp": US},
        {"exp": NOW_S - 59, "iat": NOW_S - 300},
        {"iat": NOW_S + 60, "nbf": NOW_S + 60},
        {"exp": NOW_S + 300.5},
    ],
)
def test_clocks_may_differ_by_a_minute_and_audiences_be_a_list(claims: dict[str, Any]) -> None:
    assert read(signed(**claims))["iss"] == ISSUER


def test_a_flow_without_a_nonce_asks_for_none() -> None:
    assert read(signed(nonce="left out"), Expectation(ISSUER, US, None, NOW))


def test_only_public_keys_that_are_long_enough_are_used() -> None:
    assert {str(key.key_id) for key in usable_keys(DOCUMENT)} == {"ec", "ed", "rsa"}
    nonsense: list[Any] = [None, {}, [1, None, []], "keys"]
    for listed in nonsense:
        assert usable_keys({"keys": listed}) == ()
    assert usable_keys({}) == ()


def test_keys_are_asked_for_at_most_every_few_seconds_and_at_least_every_hour() -> None:
    clock, asked, document = Clock(), [0], {"keys": [published(RSA, "first")]}

    def fetch() -> dict[str, Any]:
        asked[0] += 1
        return document

    keys = KeySet(fetch, clock)
    for _ in range(100):
        assert keys.find("first", "RS256") is not None
        assert keys.find("unknown", "RS256") is None
    assert asked[0] == 1
    document["keys"] = [published(EC, "second")]
    clock.monotonic += 9
    assert keys.find("second", "ES256") is None
    clock.monotonic += 1
    assert keys.find("second", "ES256") is not None
    assert asked[0] == 2
    clock.monotonic += 3600
    assert keys.find("second", "ES256") is not None
    assert asked[0] == 3


def test_two_keys_of_one_family_need_an_id() -> None:
    document = {"keys": [published(RSA, "one"), published(STRANGER, "two")]}
    keys = KeySet(lambda: document, Clock())
    assert keys.find(None, "RS256") is None
    assert keys.find("two", "RS256") is not None
