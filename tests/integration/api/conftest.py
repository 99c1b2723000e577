from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.api import ApiWorld, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    with open_world(tmp_path) as opened:
        yield opened
