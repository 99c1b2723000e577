"""Log people in whom the organisation's own login knows: the page by a code, the command by an ID token."""

import base64
import hashlib
import hmac
import json
import secrets as random_secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from scheduler.core.model.access.audit import Actor
from scheduler.core.model.tenant import User
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.directory import AlreadyExists, Directory, DoesNotExist, IsDisabled
from scheduler.ports.identity import EVERY_GROUP, GroupRule, Identity, IdentityProvider, LoginConfiguration
from scheduler.services.access.grant_access import Grant, NewToken, draft_token
from scheduler.services.access.server_secrets import ServerSecrets

LONGEST_LOGIN = timedelta(minutes=10)
"""How long somebody may take at the issuer."""
MOST_NAMED_GROUPS = 10
_LOGIN, _NONCE, _VERIFIER = "login", "login nonce", "login verifier"


class LoginRefused(Exception):
    """Nobody was logged in; the message says why, `next_step` what to do."""

    def __init__(self, why: str, next_step: str) -> None:
        super().__init__(why)
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class BegunLogin:
    """A login on its way: where the browser goes, and what it keeps meanwhile."""

    url: str
    sealed: str
    """Binds the login to this browser; good for LONGEST_LOGIN."""


@dataclass(frozen=True, slots=True)
class Return:
    """A browser that comes back from the issuer."""

    sealed: str
    """What it kept."""
    state: str
    code: str


@dataclass(frozen=True, slots=True)
class Login:
    """The organisation's login, as this server offers it."""

    configuration: LoginConfiguration
    provider: IdentityProvider
    secrets: ServerSecrets

    def begin(self, clock: Clock, return_to: str) -> BegunLogin:
        """Begin a login of the page. Raises IssuerUnavailable."""
        state = random_secrets.token_urlsafe(32)
        challenge = hashlib.sha256(self.secrets.derive(_VERIFIER, state).encode()).digest()
        url = self.provider.authorization_url(
            state=state, nonce=self.secrets.derive(_NONCE, state), challenge=_base64url(challenge)
        )
        kept = {"state": state, "until": (clock.now() + LONGEST_LOGIN).timestamp(), "return_to": return_to}
        return BegunLogin(url, self.secrets.seal(_LOGIN, _base64url(json.dumps(kept).encode())))

    def finish(
        self, directory: Directory, clock: Clock, identifiers: IdentifierSource, back: Return, *, request_id: str
    ) -> tuple[NewToken, str]:
        """Return the session's token, and the address to go on to. A login is good once.

        Raises LoginRefused, ProofRefused, IssuerUnavailable.
        """
        return_to = self._return_to(clock, back)
        identity = self.provider.redeem(
            back.code,
            verifier=self.secrets.derive(_VERIFIER, back.state),
            nonce=self.secrets.derive(_NONCE, back.state),
        )
        entrance = _Entrance(identity, _sha256(f"state {back.state}"), "finish_login", request_id)
        return self._enter(directory, clock, identifiers, entrance), return_to

    def exchange(
        self, directory: Directory, clock: Clock, identifiers: IdentifierSource, id_token: str, *, request_id: str
    ) -> NewToken:
        """Return a token for an ID token that the command got of the issuer. An ID token is good once.

        Raises LoginRefused, ProofRefused, IssuerUnavailable.
        """
        identity = self.provider.identify(id_token)
        entrance = _Entrance(identity, _sha256(f"token {id_token}"), "exchange_login", request_id)
        return self._enter(directory, clock, identifiers, entrance)

    def _return_to(self, clock: Clock, back: Return) -> str:
        again = "begin again: GET /v1/login"
        kept = self.secrets.unseal(_LOGIN, back.sealed)
        if kept is None:
            raise LoginRefused("This browser did not begin this login.", again)
        login = json.loads(base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4)))
        if not hmac.compare_digest(str(login["state"]).encode(), back.state.encode(errors="replace")):
            raise LoginRefused("This browser did not begin this login: its state is another one.", again)
        if clock.now() >= datetime.fromtimestamp(login["until"], UTC):
            raise LoginRefused(f"The login took longer than {LONGEST_LOGIN.seconds // 60} minutes.", again)
        return str(login["return_to"])

    def _enter(
        self, directory: Directory, clock: Clock, identifiers: IdentifierSource, entrance: "_Entrance"
    ) -> NewToken:
        identity = entrance.identity
        rule = find_rule(self.configuration.rules, identity.groups)
        if rule is None:
            named = ", ".join(identity.groups[:MOST_NAMED_GROUPS]) or "none"
            raise LoginRefused(
                f"{identity.name} is known at the login, but none of their groups opens anything here: {named}.",
                "ask an operator: the server's file for the login says which groups do",
            )
        now = clock.now()
        user = User(identity.name, rule.tenant, now, rule.role, None, identity.subject)
        grant = Grant("login", rule.role, rule.tenant, identity.name, None)
        new = draft_token(clock, identifiers, grant, latest=now + self.configuration.session)
        token = replace(new.token, is_login=True)
        actor = Actor(identity.name, token.id, rule.tenant, entrance.operation, entrance.request_id)
        try:
            kept = directory.acting(actor).record_login(user, token, entrance.proof_sha256)
        except AlreadyExists as error:
            raise _taken(error, entrance) from None
        except IsDisabled:
            raise LoginRefused(f"{identity.name} is disabled here.", "ask an operator") from None
        except DoesNotExist as missing:
            raise LoginRefused(
                f"There is no tenant {missing.args[0]}, which {identity.name} would belong to.",
                f"ask an operator; `medley tenants create {missing.args[0]}` makes it",
            ) from None
        return NewToken(kept, new.secret)


@dataclass(frozen=True, slots=True)
class _Entrance:
    identity: Identity
    proof_sha256: str
    operation: str
    request_id: str


def find_rule(rules: tuple[GroupRule, ...], groups: tuple[str, ...]) -> GroupRule | None:
    """Return the first rule that fits a member of these groups."""
    return next((rule for rule in rules if rule.group == EVERY_GROUP or rule.group in groups), None)


def _taken(error: AlreadyExists, entrance: _Entrance) -> LoginRefused:
    if error.args[0] == entrance.proof_sha256:
        return LoginRefused("This login was used before, and each is good once.", "log in again")
    return LoginRefused(
        f"The name {entrance.identity.name} belongs to a user here who is somebody else.",
        "ask an operator: a user made by hand never becomes one of the login's",
    )


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
