"""The dashboard's files over HTTP; what they do in a browser is in tests/browser."""

import gzip
import hashlib
import re

import pytest

from api.dashboard.files import TYPES, dashboard
from tests.builders.api import ApiWorld

MOST_BYTES = 120_000
"""Of the page and all its files, compressed."""


def test_anybody_gets_the_page_and_it_runs_nothing_but_its_own_files(world: ApiWorld) -> None:
    answer = world.bearer(None).get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-cache"
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert scripts == [""], "a script within the page would not run"
    assert " style=" not in answer.text
    assert "{{" not in answer.text


def test_all_that_the_page_names_is_there_and_may_be_kept(world: ApiWorld) -> None:
    client = world.bearer(None)
    named = set(re.findall(r'(?:href|src)="([^"]+)"', client.get("/").text))
    assert len(named) > 5
    for address in named:
        answer = client.get(f"/{address}")
        assert answer.status_code == 200, address
        assert answer.headers["content-type"] == TYPES[address.rpartition(".")[2]]
        assert "immutable" in answer.headers["cache-control"]


def test_files_are_sent_compressed_to_whoever_takes_that(world: ApiWorld) -> None:
    address = f"/dashboard/{dashboard().digest}/application.js"
    client = world.bearer(None)
    packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


@pytest.mark.parametrize("name", ["nothing.js", "../files.py", "..%2ffiles.py", "vendor", "", "index.html"])
def test_nothing_else_is_served(world: ApiWorld, name: str) -> None:
    answer = world.bearer(None).get(f"/dashboard/{dashboard().digest}/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_of_another_version_is_told_to_load_anew(world: ApiWorld) -> None:
    answer = world.bearer(None).get("/dashboard/0000000000000000/application.js")
    assert answer.status_code == 404
    assert "load the page anew" in answer.json()["next"]


def test_vendored_files_are_what_their_list_says() -> None:
    listed = dashboard().files["vendor/sources.txt"].content.decode()
    named = dict(re.findall(r"^(\S+\.js) .* ([0-9a-f]{64})$", listed, re.MULTILINE))
    vendored = {name: file for name, file in dashboard().files.items() if name.startswith("vendor/")}
    assert {f"vendor/{name}" for name in named} == {name for name in vendored if name.endswith(".js")}
    for name, digest in named.items():
        assert hashlib.sha256(vendored[f"vendor/{name}"].content).hexdigest() == digest, name
    assert {"vendor/preact-licence.txt", "vendor/htm-licence.txt"} <= vendored.keys()


def test_the_whole_dashboard_is_light() -> None:
    sent = [dashboard().page, *dashboard().files.values()]
    total = sum(len(file.compressed) for file in sent)
    assert total < MOST_BYTES, f"{total} bytes are sent for the first view"
    assert all(gzip.decompress(file.compressed) == file.content for file in sent)


def test_every_file_is_short() -> None:
    long = {
        name: lines
        for name, file in dashboard().files.items()
        if name.endswith(".js") and not name.startswith("vendor/") and (lines := file.content.count(b"\n")) > 400
    }
    assert not long, f"split them by subject: {long}"
