"""Imports into a store whose server takes connections and answers nothing, and what becomes of others
meanwhile. Ten tasks work at the same time (`max_workers`)."""

import socket
import time

import pytest

from importing import configuration, import_image, last_task
from service import Account

WORKERS = 10
S3 = """\
s3_store_host = http://127.0.0.1:{port}
s3_store_access_key = key
s3_store_secret_key = secret
s3_store_bucket = images
s3_store_bucket_url_format = path
"""


@pytest.fixture
def silent():
    """A server that nobody is: the system takes its connections."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        yield S3.format(port=server.getsockname()[1])


@pytest.fixture
def service(start, silent, web, tmp_path):
    """One with the stores `file` and `silent`."""
    stores = {
        "file": ("file", f"filesystem_store_datadir = {tmp_path}/images"),
        "silent": ("s3", silent),
    }
    return start(config=configuration(tmp_path, web, stores))


@pytest.fixture
def imported(service, web):
    """Begins so many imports into a store; returns the API and the images."""
    api = Account(service).api()

    def imported(count, store):
        images = [api.create() for _ in range(count)]
        for image in images:
            url = web.serve(f"/{image}", b"some bytes")
            answer = import_image(api, image, "web-download", uri=url, stores=[store])
            assert answer.status_code == 202, answer.text
        return api, images

    return imported


def states(api, images):
    return [last_task(api, image)["status"] for image in images]


def test_imports_that_hang_hold_up_no_others(imported, eventually):
    api, hanging = imported(3 * WORKERS, "silent")
    eventually(lambda: states(api, hanging).count("processing") == WORKERS)
    _, others = imported(3 * WORKERS, "file")
    eventually(lambda: all(api.status(image) == "active" for image in others), limit=10)
    assert states(api, hanging).count("processing") == WORKERS
    assert states(api, hanging).count("pending") == 2 * WORKERS


def test_a_service_stops_at_once_while_imports_hang(service, imported, eventually):
    api, hanging = imported(2 * WORKERS, "silent")
    eventually(lambda: states(api, hanging).count("processing") == WORKERS)
    begun = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - begun < 10
