"""The first job file: it submits as it is, says what else there is, and is understood by editors."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.schemas.job_request import JobRequest
from medley.file_kinds import JOB_FILE
from medley.main import run
from medley.yaml_file import read_yaml_file
from scheduler.core.model.tenant import Quota, Role
from tests.builders.api import ApiWorld, open_world, serve


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiWorld]:
    """An API that this process is logged in to, in an empty folder."""
    with open_world(tmp_path) as opened, serve(opened.app) as address:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("MEDLEY_ADDRESS", address)
        monkeypatch.setenv("MEDLEY_TOKEN", opened.token(Role.SUBMITTER))
        monkeypatch.setenv("MEDLEY_CONFIG", str(tmp_path / "login.json"))
        yield opened


def fields(path: str = "job.yaml") -> dict[str, Any]:
    return read_yaml_file(path, JOB_FILE).fields


def test_a_first_job_submits_as_it_is(world: ApiWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    assert capsys.readouterr() == ("Wrote job.yaml\n", "next: medley submit job.yaml --follow\n")
    assert run(["submit", "job.yaml", "--dry-run", "-o", "name"]) == 0
    assert capsys.readouterr().out == "placed\n"
    assert world.rows()["jobs"] == 0
    assert run(["submit", "job.yaml", "-o", "name"]) == 0
    world.step()
    assert world.client().get(f"/v1/jobs/{capsys.readouterr().out.strip()}").json()["state"] == "running"


def test_it_asks_for_what_the_tenant_may_have_now(world: ApiWorld) -> None:
    world.storage.directory.set_quota(Quota("demo", "h100-sxm", 0), world.context.clock.now())
    assert run(["init", "other.yaml"]) == 0
    assert fields("other.yaml")["chips"] == "mi300x"


def test_its_first_line_leads_editors_to_the_schema(world: ApiWorld) -> None:
    assert run(["init"]) == 0
    (address,) = re.findall(r"^# yaml-language-server: \$schema=(\S+)\n", Path("job.yaml").read_text())
    path = address.removeprefix(os.environ["MEDLEY_ADDRESS"])
    assert world.bearer(None).get(path).json()["required"] == ["name", "chips"]


def test_what_it_leaves_out_can_be_taken_in(world: ApiWorld) -> None:
    assert run(["init"]) == 0
    lines = re.findall(r"^# (\w+: .*)$", Path("job.yaml").read_text(), flags=re.MULTILINE)
    taken_in = fields() | yaml.safe_load("\n".join(lines))
    assert len(lines) == len(taken_in) - len(fields())
    del taken_in["training"]
    assert JobRequest.model_validate(taken_in).command == ("python", "train.py")
    assert world.rows()["jobs"] == 0


def test_nothing_is_overwritten(world: ApiWorld, capsys: pytest.CaptureFixture[str]) -> None:
    Path("job.yaml").write_text("mine")
    assert run(["init"]) == 5
    assert Path("job.yaml").read_text() == "mine"
    assert "job.yaml is there already, and stays as it is" in capsys.readouterr().err
    assert world.rows()["jobs"] == 0


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_not_submit_gets_a_file_all_the_same(
    world: ApiWorld, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDLEY_TOKEN", world.token(role))
    assert run(["init"]) == 0
    assert JobRequest.model_validate(fields()).name == "first"


def test_without_a_server_there_is_a_file_and_a_word_about_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDLEY_CONFIG", str(tmp_path / "login.json"))
    assert run(["init", "-"]) == 0
    shown = capsys.readouterr()
    assert JobRequest.model_validate(yaml.safe_load(shown.out)).workers == 2
    assert "you are not logged in" in shown.err
    assert list(tmp_path.iterdir()) == []
    assert run(["init", "no/such/folder.yaml"]) == 2


def test_a_question_prints_the_place_and_the_next_command(world: ApiWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    capsys.readouterr()
    assert run(["submit", "job.yaml", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("first: It would be placed at once, on mixed/h100-sxm-0.\n\nRANK  NODE")
    assert "Why there:\nranks 0-1: mixed/h100-sxm-0, tightest fit on one node" in shown.out
    assert shown.err == "next: medley submit job.yaml\n"
    Path("chat.yaml").write_text(
        "name: chat\nkind: inference\nchips: h100-sxm\nreplicas: 5\nworkers: 1\ndevices_per_worker: 8\n"
    )
    assert run(["submit", "chat.yaml", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("chat: 2 of 5 replicas would be placed at once, on mixed/h100-sxm-0 and")
    assert "REPLICA  NODES\n      0  mixed/h100-sxm-0\n      1  mixed/h100-sxm-1\n" in shown.out
    assert shown.err.startswith("next: submit it, and the others start once there is room")
    assert "Why replica 0 is there:\nrank 0: mixed/h100-sxm-0" in shown.out
    Path("large.yaml").write_text("name: large\nchips: h100-sxm\nworkers: 99\n")
    assert run(["submit", "large.yaml", "--dry-run"]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("large: It would be refused, because it can never run as asked: ")
    assert shown.err.startswith("next: submit it again in a shape that fits")
    Path("bad.yaml").write_text("name: bad\nchips: h100-smx\nworkers: 1\n")
    assert run(["submit", "bad.yaml", "--dry-run"]) == 2
    assert "bad.yaml:2: chips: there is no chip type h100-smx" in capsys.readouterr().err
    assert run(["submit", "job.yaml", "--dry-run", "--wait"]) == 2
    assert world.rows()["jobs"] == 0
