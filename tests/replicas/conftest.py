"""Clouds of several services, on each kind of database server that is installed."""

import pytest

from own_database import DURABLE, Server
from replicas.cloud import Cloud


@pytest.fixture(params=["mariadb", "postgresql"])
def database(request):
    database = Server(request.param).start(*DURABLE[request.param])
    yield database
    database.close()


@pytest.fixture
def clouds(tmp_path, web):
    """Makes clouds, which end with the test."""
    made = []

    def cloud(url, **options):
        made.append(Cloud(tmp_path / str(len(made)), web, url, **options))
        return made[-1]

    yield cloud
    for cloud in made:
        cloud.close()


@pytest.fixture
def cloud(clouds, database):
    return clouds(database.url)


@pytest.fixture
def tell(request):
    """Prints a figure of the test that runs."""
    return lambda *what: print(f"{request.node.name}:", *what)
