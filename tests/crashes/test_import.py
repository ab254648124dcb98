"""Services that die while they import: nobody's bytes are lost, wrong, or left behind."""

import random
import threading
import time

import pytest

from importing import (
    configuration,
    data_of,
    ended,
    files,
    import_image,
    last_task,
    stage,
)
from service import Account

SIZE = 12 << 20


@pytest.fixture(scope="module")
def data():
    return random.Random(11).randbytes(SIZE)


def settled(api, images):
    """Whether no import is under way any more."""
    shown = [api.show(image) for image in images]
    return all(
        "os_glance_import_task" not in image and image["status"] in ("active", "queued")
        for image in shown
    )


def check(api, path, images, sha512, data):
    """Nothing is active with wrong bytes, and no bytes are kept that no image has."""
    active = {image for image in images if api.status(image) == "active"}
    for image in active:
        shown = api.show(image)
        assert shown["os_hash_value"] == sha512(data)
        for store in shown["stores"].split(","):
            assert (path / store / image).read_bytes() == data
    held = set()
    for store in ("fast", "slow"):
        held |= set(files(path, store))
    assert held <= active
    assert not files(path, "staging")
    return active


@pytest.mark.parametrize("seed", range(4))
def test_an_import_survives_the_death_of_its_service(
    start, web, tmp_path, data, sha512, eventually, seed
):
    """Killed at a random moment of several imports, it finishes all of them at its next start."""
    dice = random.Random(seed)
    config = configuration(tmp_path, web)
    url = web.serve("/survives", data)
    service = start(config=config)
    api = Account(service).api()
    downloads = [api.create() for _ in range(3)]
    staged = [api.create() for _ in range(2)]
    for image in staged:
        assert stage(api, image, data).status_code == 204
    for image in downloads:
        assert import_image(api, image, "web-download", uri=url, all_stores=True).ok
    for image in staged:
        assert import_image(api, image, "glance-direct", stores=["slow"]).ok
    # The moment itself is what is random here.
    time.sleep(dice.uniform(0, 0.6))
    service.kill()
    service = start(config=config)
    api = Account(service).api()
    images = downloads + staged
    eventually(lambda: settled(api, images), limit=60)
    eventually(lambda: not files(tmp_path, "staging"))
    active = check(api, tmp_path, images, sha512, data)
    assert active == set(images), [last_task(api, image) for image in set(images) - active]


def test_a_copy_survives_the_death_of_its_service(
    start, web, tmp_path, data, sha512, eventually
):
    config = configuration(tmp_path, web)
    service = start(config=config)
    api = Account(service).api()
    images = [api.create() for _ in range(4)]
    for image in images:
        assert api.upload(image, data).status_code == 204
    for image in images:
        assert import_image(api, image, "copy-image", stores=["slow"]).ok
    service.kill()
    api = Account(start(config=config)).api()
    eventually(lambda: all("," in api.show(image)["stores"] for image in images), limit=60)
    assert check(api, tmp_path, images, sha512, data) == set(images)


def test_staging_that_a_crash_interrupts_is_undone(start, web, tmp_path, data, eventually):
    config = configuration(tmp_path, web)
    service = start(config=config)
    api = Account(service).api()
    whole, cut = api.create(), api.create()
    assert stage(api, whole, data).status_code == 204

    def until_killed():
        yield data[: SIZE // 2]
        eventually(lambda: Account(service).api().status(cut) == "uploading")
        service.kill()
        yield data[SIZE // 2 :]

    with pytest.raises(Exception, match="Connection|Broken"):
        stage(api, cut, until_killed())
    api = Account(start(config=config)).api()
    assert (api.status(whole), api.status(cut)) == ("uploading", "queued")
    assert files(tmp_path, "staging") == [whole]
    assert import_image(api, whole, "glance-direct").ok
    eventually(lambda: api.status(whole) == "active")
    assert data_of(api, whole) == data


def test_another_service_takes_over_what_a_dead_one_left(start, web, tmp_path, data, eventually):
    """Two services on one catalog; the one that imports dies, and does not come back."""
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one, two):
        path.mkdir()
    catalog = f"[database]\nconnection = sqlite:///{tmp_path}/glance.db\n"
    gate = threading.Event()
    first = start(one / "state", config=configuration(one, web, more=catalog))
    api = Account(first).api()
    url = web.serve("/taken-over", data, gate)
    image = api.create(visibility="public")
    assert import_image(api, image, "web-download", uri=url).ok
    eventually(lambda: last_task(api, image)["message"])
    # The stores are the same, as they are for the services of one cloud.
    config = configuration(one, web, more=catalog)
    second = start(two / "state", config=config, arguments=("--identity", "none"))
    other = Account(first).api()
    other.url = second.url
    assert last_task(other, image)["status"] == "processing"
    first.kill()
    gate.set()
    task = eventually(lambda: ended(other, image), limit=90)
    assert task["status"] == "success", task
    assert data_of(other, image) == data
    assert not files(one, "staging") and files(one, "fast") == [image]
