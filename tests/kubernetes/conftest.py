"""The API servers that the same behaviour is asked of."""

from collections.abc import Iterator

import pytest

from tests.kubernetes.either_server import Server, fake_server


@pytest.fixture(params=["fake", "kubernetes"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The fake, then the real one, each with an empty namespace."""
    if request.param == "fake":
        with fake_server() as fake:
            yield fake
    else:
        plane = request.getfixturevalue("control_plane")
        yield Server(plane.api, request.getfixturevalue("namespace"), real=plane)
