"""A cloud for a test, on each kind of database that there is."""

import pytest

from side_by_side.cloud import Cloud
from side_by_side.database import SERVERS


@pytest.fixture
def clouds(tmp_path):
    """Makes clouds, which end with the test."""
    made = []

    def cloud(kind):
        made.append(Cloud(tmp_path / str(len(made)), kind))
        return made[-1]

    yield cloud
    for cloud in made:
        cloud.close()


@pytest.fixture(params=list(SERVERS))
def kind(request):
    return request.param


@pytest.fixture
def cloud(clouds, kind):
    return clouds(kind)
