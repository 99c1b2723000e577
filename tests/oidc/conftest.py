"""A server of ours whose people log in at the issuer."""

from collections.abc import Iterator

import pytest

from tests.builders.server import ServerProcess
from tests.oidc.testbed.issuer import CLIENT_SECRET, COMMAND, Issuer

LOGIN_FILE = """
issuer: {issuer}
server_url: {server}
client_id: medley
client_secret_file: client.secret
command_client_id: {command}
groups:
  - {{group: operators, role: operator}}
  - {{group: demo, tenant: demo, role: submitter}}
  - {{group: lost, tenant: no-such-tenant}}
"""


@pytest.fixture(scope="module")
def server(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the tenant demo whose people log in at the issuer."""
    folder = tmp_path_factory.mktemp("with-login")
    (folder / "client.secret").write_text(CLIENT_SECRET)
    text = LOGIN_FILE.format(issuer=issuer.address, server=issuer.server_address, command=COMMAND)
    (folder / "login.yaml").write_text(text)
    login = {"MEDLEY_LOGIN": str(folder / "login.yaml"), "MEDLEY_LIMIT_PER_ADDRESS": "off"}  # all come from one here
    running = ServerProcess(folder / "data", None, listen=f"127.0.0.1:{issuer.server_port}", environment=login)
    running.start()
    try:
        running.tenant("demo")
        yield running
    finally:
        running.stop()
