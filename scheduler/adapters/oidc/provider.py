"""One issuer of OpenID Connect: found by its discovery document, asked for codes and keys."""

import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from scheduler.adapters.oidc.calls import Caller, IssuerError, is_loopback, is_trusted
from scheduler.adapters.oidc.id_tokens import Expectation, read_id_token
from scheduler.adapters.oidc.key_set import FRESH_S, KeySet
from scheduler.ports.clock import Clock
from scheduler.ports.identity import Identity, IssuerUnavailable, LoginConfiguration, ProofRefused

MOST_GROUPS = 500
LONGEST_GROUP = 200
_NAME = re.compile(r"[a-zA-Z0-9][-._@a-zA-Z0-9]{0,62}")
_WELL_KNOWN = "/.well-known/openid-configuration"


class OidcProvider:
    """An issuer (ports.identity). Nothing is asked for before it is needed: an issuer that is away stops no start."""

    def __init__(self, configuration: LoginConfiguration, clock: Clock) -> None:
        self._configuration = configuration
        self._clock = clock
        self._caller = Caller(configuration.issuer)
        self._keys = KeySet(lambda: self._caller.get(self._endpoint("jwks_uri")), clock)
        self._lock = threading.Lock()
        self._discovered: Mapping[str, Any] = {}
        self._discovered_s = 0.0

    def authorization_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Return where a browser is sent to log in."""
        asked = {
            "response_type": "code",
            "client_id": self._configuration.client_id,
            "redirect_uri": self._configuration.redirect_url,
            "scope": " ".join(self._configuration.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def redeem(self, code: str, *, verifier: str, nonce: str) -> Identity:
        """Return who a code stands for. Raises ProofRefused, IssuerUnavailable."""
        configuration = self._configuration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": configuration.redirect_url,
            "code_verifier": verifier,
            "client_id": configuration.client_id,
        }
        secret = configuration.client_secret
        login = None if secret is None else (quote(configuration.client_id, safe=""), quote(secret, safe=""))
        try:
            answer = self._caller.post(self._endpoint("token_endpoint"), form, login=login)
        except IssuerError as error:
            raise ProofRefused(f"the issuer does not accept the code: {error}") from None
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise IssuerUnavailable("the issuer answered without an ID token; is `openid` among the scopes?")
        return self._identity(token, configuration.client_id, nonce)

    def identify(self, id_token: str) -> Identity:
        """Return who an ID token of the command is about. Raises ProofRefused, IssuerUnavailable."""
        return self._identity(id_token, self._configuration.command_client_id, None)

    def close(self) -> None:
        """Close all connections."""
        self._caller.close()

    def _identity(self, token: str, audience: str, nonce: str | None) -> Identity:
        configuration = self._configuration
        expected = Expectation(configuration.issuer, audience, nonce, self._clock.now())
        claims = read_id_token(token, self._keys.find, expected)
        name, groups = claims.get(configuration.name_claim), claims.get(configuration.groups_claim, [])
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ProofRefused(
                f"the claim {configuration.name_claim} is no name of a user: letters, digits and - . _ @, 63 at most"
            )
        listed = [groups] if isinstance(groups, str) else groups
        if not isinstance(listed, list):
            raise ProofRefused(f"the claim {configuration.groups_claim} is no list of groups")
        texts = tuple(one for one in listed[:MOST_GROUPS] if isinstance(one, str) and len(one) <= LONGEST_GROUP)
        return Identity(f"{configuration.issuer} {claims['sub']}", name, texts)

    def _endpoint(self, name: str) -> str:
        """Return an address of the discovery document, which is asked for once an hour. Raises IssuerUnavailable.

        An issuer elsewhere must not make this server call itself.
        """
        issuer = self._configuration.issuer
        with self._lock:
            if not self._discovered or self._clock.monotonic_s() - self._discovered_s > FRESH_S:
                self._discovered = self._discover()
                self._discovered_s = self._clock.monotonic_s()
            address = self._discovered.get(name)
        if not isinstance(address, str) or not is_trusted(address) or is_loopback(address) > is_loopback(issuer):
            raise IssuerUnavailable(f"the issuer's {name} is no https address")
        return address

    def _discover(self) -> Mapping[str, Any]:
        issuer = self._configuration.issuer
        found = self._caller.get(issuer.rstrip("/") + _WELL_KNOWN)
        if found.get("issuer") != issuer:
            raise IssuerUnavailable(f"the issuer at {issuer} calls itself {str(found.get('issuer'))[:200]}")
        return found
