"""docs/access.md as an operator follows it: with the first token, then by the organisation's login."""

import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.builders.eventually import eventually
from tests.builders.guide import Reader
from tests.builders.server import ServerProcess
from tests.oidc.testbed.issuer import Browser

PAGE = "docs/access.md"
IDS_OF_NIGHTLY = (
    "import json, sys; print(*(one['id'] for one in json.load(sys.stdin)['items'] if one['name'] == 'nightly'))"
)
STANDING_FOR_ITS_ID = f'$(medley tokens -o json | python -c "{IDS_OF_NIGHTLY}")'


def test_every_command_of_the_guide_works_as_written(server: ServerProcess, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "reader", address=server.address, data_folder=server.data_folder)
    reader.run("medley login http://127.0.0.1:8080 --no-oidc --token - < .medley/operator.token")
    reader.run("medley tenants create research")
    standing_for = {"https://medley.example.com": server.address, "01jd3v9k2m0a7b4c": STANDING_FOR_ITS_ID}
    with ThreadPoolExecutor(1) as beside:
        following = beside.submit(reader.follow, PAGE, standing_for=standing_for)
        confirm_login_of("bob", reader, following)
        seen = following.result()
    assert "as bob (operator of the whole cluster)" in seen
    assert "Disabled user ada" in seen


def confirm_login_of(name: str, reader: Reader, following: Future[str]) -> None:
    """Open the address that the command prints, as this person; end where the reader came to no such place."""
    shown = eventually(lambda: address_in(reader.output) or following.done(), within_s=60, what="where to confirm")
    if isinstance(shown, str):
        assert Browser(name).open(shown).status_code == 200


def address_in(output: Path) -> str | None:
    found = re.search(r"Open (\S+) in a browser", output.read_text())
    return found and found[1]
