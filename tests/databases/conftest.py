"""Servers of databases that a file's tests share."""

import pytest

from own_database import Server


@pytest.fixture(scope="module")
def postgresql():
    server = Server("postgresql").start()
    yield server
    server.close()
