"""Commits that the database makes, and of which the service hears nothing: its connection broke."""

import random
import threading

import pytest
from importing import ended, import_image, last_task
from relay import Relay
from service import unique

from replicas.cloud import sent

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


@pytest.mark.parametrize("dies", [False, True], ids=["lives on", "dies"])
def test_an_image_whose_deletion_is_not_answered_leaves_no_bytes(clouds, relay, eventually, dies):
    """The service that deletes it hears nothing of the commit, and goes on to live or not."""
    cloud = clouds(relay.url, count=2)
    api, another = cloud.apis()
    image = api.create()
    assert api.upload(image, b"bytes").status_code == 204
    loss = relay.lose("deleted_at = COALESCE(deleted_at", hold=dies)
    answers = []
    deletion = threading.Thread(
        target=lambda: answers.append(sent(lambda: api.delete(f"/v2/images/{image}")))
    )
    deletion.start()
    assert loss.cut.wait(30)
    if dies:
        cloud.replicas[0].kill()
    loss.pass_on.set()
    deletion.join(60)
    assert answers == [0 if dies else 503]
    eventually(lambda: another.get(f"/v2/images/{image}").status_code == 404)
    eventually(lambda: cloud.files("fast") == [], limit=90)


def test_a_location_whose_removal_is_not_answered_leaves_no_bytes(clouds, relay, eventually):
    cloud = clouds(relay.url, count=2)
    api, another = cloud.apis()
    image = api.create()
    assert api.upload(image, b"bytes").status_code == 204
    copied = import_image(api, image, "copy-image", stores=["slow"])
    assert copied.status_code == 202
    eventually(lambda: ended(api, image))
    assert cloud.files("slow") == [image]
    loss = relay.lose("UPDATE image_locations SET deleted = TRUE, status", hold=True)
    removal = threading.Thread(target=lambda: sent(lambda: api.delete(f"/v2/stores/slow/{image}")))
    removal.start()
    assert loss.cut.wait(30)
    cloud.replicas[0].kill()
    loss.pass_on.set()
    removal.join(60)
    eventually(lambda: cloud.files("slow") == [], limit=90)
    assert another.status(image) == "active"
    assert another.get(f"/v2/images/{image}/file").content == b"bytes"


@pytest.mark.parametrize("sign", ["status = 'processing', updated_at", "updated_at"], ids=["first", "next"])
def test_an_import_goes_on_whose_sign_of_life_is_not_answered(clouds, relay, web, eventually, sign):
    data, gate = random.Random(18).randbytes(SIZE), threading.Event()
    cloud = clouds(relay.url, count=1)
    api, path = cloud.api(0), f"/{unique('unheard')}"
    image = api.create()
    loss = relay.lose(f"UPDATE tasks SET {sign} = ")
    loss.pass_on.set()
    url = web.serve(path, data, gate)
    assert import_image(api, image, "web-download", uri=url).status_code == 202
    assert loss.cut.wait(30)
    seen = last_task(api, image)["updated_at"]
    # One sign of life tells of the lost one, one more of what is done with it.
    for _ in range(2):
        eventually(lambda: last_task(api, image)["updated_at"] != seen, limit=20)
        seen = last_task(api, image)["updated_at"]
    gate.set()
    task = eventually(lambda: ended(api, image), limit=60)
    assert task["status"] == "success", task
    assert web.asked.count(path) == 1, "it went on, and did not begin anew"
    assert api.get(f"/v2/images/{image}/file").content == data
