"""An organisation's own login: an issuer that says who somebody is and which groups they are in."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import Role

EVERY_GROUP = "*"
"""In a rule: whoever the issuer lets in."""


class IssuerUnavailable(Exception):
    """The issuer does not answer, or not as an issuer does; the message says how."""


class ProofRefused(Exception):
    """What was shown proves nothing; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What the members of a group are here."""

    group: str
    role: Role
    tenant: TenantName | None


@dataclass(frozen=True, slots=True)
class LoginConfiguration:
    """What an operator says about the organisation's login."""

    issuer: str
    """Its URL, without a slash at the end unless it calls itself so; https unless it is this machine's."""
    client_id: str
    """What the issuer knows the page by."""
    client_secret: str | None
    """None: the page is a public client, and PKCE alone protects its codes."""
    command_client_id: str
    """What the issuer knows the command by: a public client that may use the device flow."""
    server_url: str
    """Where browsers reach this server, such as https://medley.example.com."""
    scopes: tuple[str, ...]
    """What is asked for; `openid` is among them."""
    name_claim: str
    groups_claim: str
    rules: tuple[GroupRule, ...]
    """The first that fits somebody counts."""
    session: timedelta
    """How long a login is good for."""

    @property
    def redirect_url(self) -> str:
        """Where the issuer sends a browser back to."""
        return f"{self.server_url}/v1/login/callback"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the issuer signed it."""

    subject: str
    """Issuer and subject; never given to somebody else."""
    name: str
    groups: tuple[str, ...]


class IdentityProvider(Protocol):
    """One issuer. Every method may ask it, and raises IssuerUnavailable where it does not answer."""

    def authorization_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Return where a browser is sent to log in; `challenge` is the SHA-256 of PKCE's verifier."""
        ...

    def redeem(self, code: str, *, verifier: str, nonce: str) -> Identity:
        """Return who a code stands for; a code is good once. Raises ProofRefused."""
        ...

    def identify(self, id_token: str) -> Identity:
        """Return who an ID token is about that the command was given. Raises ProofRefused."""
        ...
