"""A login of an organisation that believes what the tests tell it, and rules for its groups."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from scheduler.core.model.tenant import Role
from scheduler.ports.identity import GroupRule, Identity, IssuerUnavailable, LoginConfiguration, ProofRefused
from scheduler.services.access.log_in import Login
from scheduler.services.access.server_secrets import ServerSecrets

ISSUER = "https://issuer.test"
RULES = (
    GroupRule("operators", Role.OPERATOR, None),
    GroupRule("demo-leads", Role.TENANT_ADMIN, "demo"),
    GroupRule("demo", Role.SUBMITTER, "demo"),
    GroupRule("beta", Role.VIEWER, "beta"),
    GroupRule("lost", Role.VIEWER, "no-such-tenant"),
)


def a_configuration(**differing: object) -> LoginConfiguration:
    settings: dict[str, object] = {
        "issuer": ISSUER,
        "client_id": "medley",
        "client_secret": None,
        "command_client_id": "medley-command",
        "server_url": "http://testserver",
        "scopes": ("openid",),
        "name_claim": "preferred_username",
        "groups_claim": "groups",
        "rules": RULES,
        "session": timedelta(hours=8),
        **differing,
    }
    return LoginConfiguration(**settings)  # type: ignore[arg-type]  # fields of the configuration


@dataclass
class TrustingIssuer:
    """Takes `ada.demo` as code or ID token for somebody called ada in the group demo."""

    is_away: bool = False

    def authorization_url(self, *, state: str, nonce: str, challenge: str) -> str:
        self._answer()
        return f"{ISSUER}/authorize?{urlencode({'state': state, 'nonce': nonce, 'code_challenge': challenge})}"

    def redeem(self, code: str, *, verifier: str, nonce: str) -> Identity:
        assert verifier
        assert nonce
        return self.identify(code)

    def identify(self, id_token: str) -> Identity:
        self._answer()
        name, _, groups = id_token.partition(".")
        if not groups:
            raise ProofRefused("that is no ID token")
        return Identity(f"{ISSUER} {name}", name, tuple(groups.split(".")[0].split("_")))

    def _answer(self) -> None:
        if self.is_away:
            raise IssuerUnavailable(f"{ISSUER} does not answer: nobody is there")


def a_login(issuer: TrustingIssuer, secret: bytes) -> Login:
    return Login(a_configuration(), issuer, ServerSecrets(secret))
