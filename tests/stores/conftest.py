"""A service with every store whose server is there."""

import os

import pytest

from importing import Web
from keystone.cloud import Cloud
from stores.places import PLACES, KeystoneSwift, missing
from stores.product import Product


@pytest.fixture(scope="session")
def keystone():
    """A region, projects and users in the real Keystone."""
    cloud = Cloud(os.environ["TEST_KEYSTONE_URL"], os.environ["TEST_KEYSTONE_PASSWORD"])
    yield cloud
    cloud.remove()


@pytest.fixture(scope="session")
def places(request):
    """Those whose servers are there, by name."""

    def made(kind):
        return kind(request.getfixturevalue("keystone")) if kind is KeystoneSwift else kind()

    places = {name: made(kind) for name, kind in PLACES.items() if not missing(name)}
    yield places
    for place in places.values():
        place.close()


@pytest.fixture(params=list(PLACES))
def name(request):
    """The name of a store whose server is there."""
    variable = missing(request.param)
    return pytest.skip(f"{variable} is not set") if variable else request.param


@pytest.fixture
def place(name, places):
    return places[name]


@pytest.fixture(scope="session")
def web():
    web = Web()
    yield web
    web.server.shutdown()


@pytest.fixture(scope="session")
def product(places, web, tmp_path_factory):
    """A service with all of them and a store `file`. In none of its answers and in no line of its
    log is anything secret."""
    product = Product(places, web, tmp_path_factory.mktemp("product"))
    yield product
    product.close()
