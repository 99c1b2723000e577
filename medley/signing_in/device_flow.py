"""The device flow: somebody confirms a code in a browser, on this machine or another, and the command is logged in."""

import time
from datetime import UTC, datetime, timedelta

from medley.answers import Json
from medley.client import Client
from medley.errors import BadUsage, NotLoggedIn, TimeIsOver
from medley.login import Login, Renewal
from medley.screens.output import talk
from medley.signing_in.issuer import IssuedTokens, Issuer, IssuerSaysNo

_RENEWED_BEFORE = timedelta(seconds=60)
"""So long before its end a login is renewed: a call takes time."""
_SLOWER_BY_S = 5.0
_WAITING = "authorization_pending"
_TOO_FAST = "slow_down"


def log_in(address: str, terms: Json | None) -> Login:
    """Log in at a server over its organisation's login. Raises BadUsage where it has none, TimeIsOver, IssuerSaysNo."""
    if terms is None:
        raise BadUsage("this server has no login but tokens", next_step=f"medley login {address} --token - < FILE")
    issuer = Issuer(str(terms["issuer"]), str(terms["client_id"]))
    try:
        code = issuer.begin(tuple(terms["scopes"]))
        talk(f"Open {code.address} in a browser and confirm the code {code.user_code}")
        talk(f"(waiting for at most {code.expires_in_s / 60:.0f} minutes; Ctrl-C gives up)")
        tokens = _wait(issuer, code.device_code, code.interval_s, code.expires_in_s)
    finally:
        issuer.close()
    return _exchanged(address, issuer, tokens, None)


def is_ending(login: Login) -> bool:
    """Say whether a login ends within a minute; a token that somebody made never does."""
    renewal = login.renewal
    return renewal is not None and datetime.now(UTC) >= datetime.fromisoformat(renewal.expires_at) - _RENEWED_BEFORE


def renewed(login: Login) -> Login:
    """Return the login, made anew where it ends within a minute. Raises NotLoggedIn where nobody but a person can."""
    renewal = login.renewal
    if renewal is None or not is_ending(login):
        return login
    again = f"medley login {login.address}"
    if renewal.refresh_token is None:
        raise NotLoggedIn(f"your login is over; `{again}` begins another one")
    issuer = Issuer(renewal.issuer, renewal.client_id)
    try:
        tokens = issuer.refresh(renewal.refresh_token)
    except IssuerSaysNo as error:
        raise NotLoggedIn(f"your login is over ({error.code}); `{again}` begins another one") from error
    finally:
        issuer.close()
    return _exchanged(login.address, issuer, tokens, renewal.refresh_token)


def _wait(issuer: Issuer, device_code: str, interval_s: float, expires_in_s: float) -> IssuedTokens:
    deadline_s = time.monotonic() + expires_in_s
    while time.monotonic() + interval_s < deadline_s:
        time.sleep(interval_s)
        try:
            return issuer.ask(device_code)
        except IssuerSaysNo as error:
            if error.code == _TOO_FAST:
                interval_s += _SLOWER_BY_S
            elif error.code != _WAITING:
                raise
    raise TimeIsOver("nobody confirmed the code in time", next_step="medley login ADDRESS   (begins again)")


def _exchanged(address: str, issuer: Issuer, tokens: IssuedTokens, known: str | None) -> Login:
    with Client(address, None) as client:
        made = client.exchange_login(tokens.id_token)
    renewal = Renewal(issuer.issuer, issuer.client_id, str(made["expires_at"]), tokens.refresh_token or known)
    return Login(address, str(made["secret"]), renewal)
