"""Finding PostgreSQL programs that an unprivileged user can run."""

import tempfile
from pathlib import Path

from tests.postgres import candidates, copied, runs, unprivileged_user


def test_the_wheels_programs_run_from_a_copy_where_their_own_folder_is_closed_to_the_user() -> None:
    wheels = [found for found in candidates() if "site-packages" in found.parts]
    assert wheels, "the development packages contain a PostgreSQL server"
    with tempfile.TemporaryDirectory(prefix="medley-pg-copy-") as name:
        Path(name).chmod(0o755)
        for number, wheel in enumerate(wheels):
            assert runs(copied(wheel, Path(name, str(number))), unprivileged_user())
