"""A real OIDC server, and a browser that logs in there as people do."""

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx2

from tests.kubernetes.testbed.processes import Program, free_ports
from tests.oidc.testbed.build import folder

CLIENT_SECRET = "the page's secret"
COMMAND = "medley-command"
PEOPLE: Mapping[str, list[str]] = {
    "ada": ["demo"],
    "bob": ["operators"],
    "eve": ["another-firm"],
    "ivy": ["lost"],
}
"""Who can log in, with any password, and their groups."""


class Issuer:
    """One issuer on a port of its own; each start makes new keys."""

    def __init__(self, place: Path, *, algorithm: str = "RS256", id_token_s: int = 300) -> None:
        port, self.server_port = free_ports(2)
        self.address = f"http://127.0.0.1:{port}"
        self.server_address = f"http://127.0.0.1:{self.server_port}"
        settings = {
            "issuer": self.address,
            "server_url": self.server_address,
            "client_secret": CLIENT_SECRET,
            "algorithm": algorithm,
            "id_token_s": id_token_s,
            "device_code_s": 120,
            "groups": PEOPLE,
        }
        place.mkdir(exist_ok=True)
        (place / "settings.json").write_text(json.dumps(settings))
        self._program = Program(
            ["/usr/bin/env", "node", str(folder() / "issuer.mjs"), str(place / "settings.json")],
            log=place / "issuer.log",
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._program.start()
        self._program.wait_until(self._answers, within_s=30)

    def stop(self) -> None:
        """Stop it: whoever asks it gets no answer."""
        self._program.stop()

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/jwks", timeout=2, trust_env=False).status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Browser:
    """Follows links and fills in forms, as one person."""

    def __init__(self, name: str) -> None:
        self.name = name
        none_kept = httpx2.Limits(max_keepalive_connections=0)  # so that no test has to close its browsers
        self.http = httpx2.Client(timeout=20, trust_env=False, follow_redirects=False, limits=none_kept)

    def open(self, address: str, *, stop_at: str = "") -> httpx2.Response:
        """Open an address and go on through redirects and forms; stop before an address that begins so."""
        response = self.http.get(address)
        for _ in range(30):
            if response.is_redirect:
                following = urljoin(str(response.url), response.headers["location"])
                if stop_at and following.startswith(stop_at):
                    return response
                response = self.http.get(following)
            elif "<form" in response.text:
                response = self._submit(response)
            else:
                return response
        raise AssertionError(f"{address} leads nowhere")

    def log_in(self, server: str, return_to: str = "/v1/whoami") -> httpx2.Response:
        """Log in at a Medley server and return what it shows then."""
        return self.open(f"{server}/v1/login?return_to={return_to}")

    def back_from_issuer(self, server: str) -> str:
        """Log in, and return the address that the issuer sends this browser back to, without opening it."""
        response = self.open(f"{server}/v1/login", stop_at=f"{server}/v1/login/callback")
        return str(response.headers["location"])

    def _submit(self, response: httpx2.Response) -> httpx2.Response:
        form = re.search(r"<form(.*?)>(.*?)</form>", response.text, re.DOTALL)
        assert form is not None
        action = re.search(r'action="([^"]*)"', form[1])
        fields = dict(_fields(form[2]))
        fields |= {name: self.name for name in fields if name in ("login", "password")}
        address = urljoin(str(response.url), html.unescape(action[1])) if action else str(response.url)
        return self.http.post(address, data=fields)


def _fields(text: str) -> list[tuple[str, str]]:
    found = []
    for tag in re.findall(r"<input(.*?)/?>", text, re.DOTALL):
        name, value = (re.search(rf'{key}="([^"]*)"', tag) for key in ("name", "value"))
        if name is not None:
            found.append((name[1], html.unescape(value[1]) if value else ""))
    return found


def device_login(issuer: Issuer, name: str) -> Mapping[str, Any]:
    """Return the tokens that the issuer gives to the command once somebody confirmed its code."""
    with httpx2.Client(timeout=20, trust_env=False) as http:
        asked = {"client_id": COMMAND, "scope": "openid profile"}
        code = http.post(f"{issuer.address}/device/auth", data=asked).json()
        confirmed = Browser(name).open(code["verification_uri_complete"])
        assert confirmed.status_code == httpx2.codes.OK, confirmed.text
        form = {
            "client_id": COMMAND,
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": code["device_code"],
        }
        answer = http.post(f"{issuer.address}/token", data=form)
        assert answer.status_code == httpx2.codes.OK, answer.text
        tokens: Mapping[str, Any] = answer.json()
        return tokens


def path_of(address: str) -> str:
    """Return path and query of an address."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"
