"""The command at 20,000 jobs on 1,024 nodes."""

from functools import partial
from pathlib import Path

import pytest

from scheduler.core.model.job import MOST_MEMBERS
from scheduler.core.model.tenant import Role
from tests.browser.many import JOBS, open_many
from tests.builders.api import open_world, serve
from tests.builders.command import run_medley
from tests.builders.pace import quiet_s

BAR_S = 1.0
"""Of the fastest of three on a quiet machine, which takes a third of it. See docs/commands.md."""
ALL_BAR_S = 4.0
"""The same of a list of all jobs, which takes a second or so alone."""
BARS_S = {"ls": BAR_S, "ls --state queued": BAR_S, "top": BAR_S, "ls --all --members": ALL_BAR_S}
RUNS = 3


def test_as_many_jobs_as_a_tenant_may_have_are_cancelled_by_one_command(tmp_path: Path) -> None:
    with open_world(tmp_path) as world, serve(world.app) as address:
        for name in ("one", "two"):
            world.submit(name=name, array={"count": MOST_MEMBERS})
        environment = {"MEDLEY_ADDRESS": address, "MEDLEY_TOKEN": world.token(Role.SUBMITTER), "HOME": str(tmp_path)}
        ended = run_medley("cancel", "--all", environment=environment)
        assert (ended.returncode, ended.stdout) == (0, f"{2 * MOST_MEMBERS:,} cancelled\n"), ended.stderr
        left = run_medley("ls", "--state", "queued", environment=environment)
        assert "no job is found" in left.stderr


def test_lists_and_the_board_are_there_within_a_second_whatever_the_number_of_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_many(tmp_path) as world, serve(world.app) as address:
        environment = {"MEDLEY_ADDRESS": address, "MEDLEY_TOKEN": world.token(Role.OPERATOR), "HOME": str(tmp_path)}
        for line, bar_s in BARS_S.items():
            run = partial(run_medley, *line.split(), environment=environment)
            ended = run()
            assert ended.returncode == 0, ended.stderr
            assert len(ended.stdout.splitlines()) > 50
            assert quiet_s(run, RUNS) < bar_s, line
        assert len(ended.stdout.splitlines()) == 1 + JOBS
        every = run_medley("ls", "--all", "-o", "name", environment=environment)
        assert len(every.stdout.splitlines()) == JOBS
