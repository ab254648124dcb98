"""Commits that the database makes, and of which the service hears nothing: its connection broke."""

import random
import threading

import pytest
from relay import Relay

SIZE = 1 << 20


@pytest.fixture
def relay(database):
    relay = Relay(database.url)
    yield relay
    relay.close()


@pytest.mark.parametrize("when", ["before the service has looked", "after that"])
def test_an_image_that_becomes_active_late_has_its_bytes(clouds, relay, eventually, when):
    data = random.Random(16).randbytes(SIZE)
    cloud = clouds(relay.url, count=1)
    api = cloud.api(0)
    image, answers = api.create(), []
    loss = relay.lose("INSERT INTO image_locations")
    if when.startswith("before"):
        loss.pass_on.set()
    upload = threading.Thread(target=lambda: answers.append(api.upload(image, data).status_code))
    upload.start()
    assert loss.cut.wait(30)
    # Time enough for removing bytes that seem to be nobody's.
    upload.join(5)
    assert cloud.files("fast") == [image]
    loss.pass_on.set()
    upload.join(60)
    eventually(lambda: api.status(image) == "active", limit=60)
    assert answers == [204] and cloud.files("fast") == [image]
    assert api.get(f"/v2/images/{image}/file").content == data
