"""The issuer of an organisation's login, as the command speaks to it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from medley.errors import BadUsage, MedleyError
from medley.exit_codes import ExitCode

_TIMEOUT_S = 10.0
_LARGEST_ANSWER_BYTES = 256 * 1024
_OK, _LEAST_FAULT, _LEAST_SERVER_FAULT = 200, 400, 500
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class IssuerSaysNo(MedleyError):
    """The issuer refused; `code` is its word, such as `access_denied`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the login says: {code}", next_step="medley login ADDRESS", exit_code=ExitCode.DENIED)
        self.code = code


class IssuerAway(MedleyError):
    """The issuer does not answer, or not as one does."""

    def __init__(self, issuer: str, why: str) -> None:
        next_step = "try again later; a token works without it: medley login ADDRESS --token -"
        super().__init__(f"the login at {issuer}: {why}", next_step=next_step, exit_code=ExitCode.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What somebody confirms in a browser, and what is asked with meanwhile."""

    device_code: str
    user_code: str
    address: str
    """To open; with the code in it where the issuer offers that."""
    interval_s: float
    expires_in_s: float


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What the issuer gives once somebody confirmed."""

    id_token: str
    refresh_token: str | None


class Issuer:
    """One issuer and one client of it. Raises IssuerAway, and IssuerSaysNo where it refuses."""

    def __init__(self, issuer: str, client_id: str) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self._http = httpx2.Client(
            timeout=_TIMEOUT_S, follow_redirects=False, trust_env=not _is_loopback(_checked(issuer))
        )
        self._found: Mapping[str, Any] = {}

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def begin(self, scopes: tuple[str, ...]) -> DeviceCode:
        """Ask for a code to confirm."""
        offered = self._discovered().get("scopes_supported")
        wanted = list(scopes)
        if isinstance(offered, list) and "offline_access" in offered and "offline_access" not in wanted:
            wanted.append("offline_access")  # so that the next login needs no browser
        asked = {"client_id": self.client_id, "scope": " ".join(wanted)}
        answer = self._post("device_authorization_endpoint", asked)
        try:
            return DeviceCode(
                device_code=str(answer["device_code"]),
                user_code=str(answer["user_code"]),
                address=str(answer.get("verification_uri_complete") or answer["verification_uri"]),
                interval_s=min(max(float(answer.get("interval", 5)), 1.0), 60.0),
                expires_in_s=min(float(answer["expires_in"]), 3600.0),
            )
        except (KeyError, ValueError, TypeError):
            raise IssuerAway(self.issuer, "its answer is none of a device flow") from None

    def ask(self, device_code: str) -> IssuedTokens:
        """Return the tokens once somebody confirmed. Raises IssuerSaysNo with `authorization_pending` until then."""
        asked = {"grant_type": _DEVICE_GRANT, "device_code": device_code, "client_id": self.client_id}
        return self._tokens(self._post("token_endpoint", asked))

    def refresh(self, refresh_token: str) -> IssuedTokens:
        """Return new tokens without anybody's help."""
        asked = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        return self._tokens(self._post("token_endpoint", asked))

    def _tokens(self, answer: Mapping[str, Any]) -> IssuedTokens:
        id_token, refresh_token = answer.get("id_token"), answer.get("refresh_token")
        if not isinstance(id_token, str):
            raise IssuerAway(self.issuer, "it gives no ID token")
        return IssuedTokens(id_token, refresh_token if isinstance(refresh_token, str) else None)

    def _discovered(self) -> Mapping[str, Any]:
        if not self._found:
            found = self._send("GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise IssuerAway(self.issuer, f"it calls itself {str(found.get('issuer'))[:200]}")
            self._found = found
        return self._found

    def _post(self, endpoint: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        address = self._discovered().get(endpoint)
        if not isinstance(address, str):
            raise IssuerAway(self.issuer, f"it has no {endpoint}")
        return self._send("POST", _checked(address), data=dict(form))

    def _send(self, method: str, address: str, **parts: Any) -> Mapping[str, Any]:
        content = bytearray()
        try:
            with self._http.stream(method, address, **parts) as response:
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > _LARGEST_ANSWER_BYTES:
                        raise IssuerAway(self.issuer, "its answer is too large")
            answer = httpx2.Response(_OK, content=bytes(content)).json()
        except httpx2.HTTPError as error:
            raise IssuerAway(self.issuer, f"it does not answer: {error or type(error).__name__}") from error
        except ValueError:
            answer = None
        status = response.status_code
        if status == _OK and isinstance(answer, dict):
            return answer
        if _LEAST_FAULT <= status < _LEAST_SERVER_FAULT and isinstance(answer, dict) and "error" in answer:
            raise IssuerSaysNo(str(answer["error"])[:100])
        raise IssuerAway(self.issuer, f"it answered {status}, which is no answer of an issuer")


def _checked(address: str) -> str:
    """Return an address that may be told a secret: https, or this machine's own. Raises BadUsage."""
    parts = urlsplit(address)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(address))):
        raise BadUsage(f"the server names {address[:200]!r} for the login, which is no https address")
    return address


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
