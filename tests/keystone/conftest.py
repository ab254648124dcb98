"""A real Keystone, with a region, a project and users of these tests alone."""

import os

import pytest

from keystone.cloud import Cloud
from service import Service

MISSING = (
    "no real Keystone: TEST_KEYSTONE_URL and TEST_KEYSTONE_PASSWORD are not set "
    "(tests/services/keystone starts one)"
)


@pytest.fixture(scope="session")
def cloud():
    url, password = (os.environ.get(f"TEST_KEYSTONE_{name}") for name in ["URL", "PASSWORD"])
    if not url or not password:
        pytest.skip(MISSING)
    cloud = Cloud(url, password)
    yield cloud
    cloud.remove()


@pytest.fixture(scope="session")
def images(cloud, tmp_path_factory):
    """An image service that asks that Keystone; no test may stop it or shut the door to it."""
    folder = tmp_path_factory.mktemp("keystone")
    config = cloud.config(folder / "glance-api.conf")
    images = Service(folder / "state", arguments=["--config-file", config])
    cloud.serve_images_at(images.url)
    yield images
    assert images.stop() == 0, "".join(images.log)


@pytest.fixture
def own(cloud, tmp_path, start):
    """Starts an image service of one test."""

    def own(**options):
        config = cloud.config(tmp_path / "glance-api.conf", **options)
        return start(arguments=["--config-file", config])

    return own
