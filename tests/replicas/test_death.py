"""A service that dies in the middle of its work: others finish it, and nothing is left behind."""

import hashlib
import random
import shutil
import threading
import time

import pytest
import requests
from importing import ended, import_image, last_task, stage
from service import Api, unique

from own_database import DURABLE, Server
from replicas.cloud import at_once, sent

SIZE = 4 << 20
# More than a lease, in seconds: whoever lives for so long gives signs of life.
LONG = 45


class Slow:
    """An upload in a thread, by `send`: half of its bytes go at once, the others when it is told."""

    def __init__(self, api, data, send=Api.upload, image=None):
        self.image, self.data, self.send = image or api.create(), data, send
        self.half, self.rest, self.status = threading.Event(), threading.Event(), None
        self.thread = threading.Thread(target=self.run, args=[api], daemon=True)
        self.thread.start()
        assert self.half.wait(30)

    def run(self, api):
        try:
            self.status = self.send(api, self.image, self.body()).status_code
        except requests.RequestException:
            self.status = 0

    def body(self):
        yield self.data[: SIZE // 2]
        self.half.set()
        # Now and then a byte: silence would end it.
        for at in range(SIZE // 2, SIZE):
            if self.rest.wait(1):
                yield self.data[at:]
                return
            yield self.data[at : at + 1]

    def finish(self):
        self.rest.set()
        self.thread.join(60)
        return self.status


def test_others_finish_what_a_dead_service_left(cloud, web, eventually, tell):
    data = random.Random(5).randbytes(SIZE)
    apis, gate = cloud.apis(), threading.Event()
    imports, living = {}, {}
    for number, api in enumerate(apis):
        image, path = api.create(), f"/{unique('gated')}"
        url = web.serve(path, data, gate)
        assert import_image(api, image, "web-download", uri=url).status_code == 202
        imports[image] = path
        if number > 0:
            living[image] = path
    waiting = [apis[0].create() for _ in range(6)]
    for image in waiting:
        url = web.serve(f"/{image}", data, gate)
        assert import_image(apis[0], image, "web-download", uri=url).status_code == 202
    slow = [Slow(api, data) for api in apis]
    for upload in slow:
        eventually(lambda upload=upload: apis[1].status(upload.image) == "saving")
    for image in imports:
        eventually(lambda image=image: last_task(apis[1], image)["status"] == "processing")

    cloud.replicas[0].kill()
    died = time.monotonic()
    gate.set()
    eventually(lambda: apis[1].status(slow[0].image) == "queued", limit=90)
    tell(f"a dead service's upload was ended after {time.monotonic() - died:.1f} s")
    for image in [*imports, *waiting]:
        task = eventually(lambda image=image: ended(apis[1], image), limit=120)
        assert task["status"] == "success", task
        assert apis[2].get(f"/v2/images/{image}/file").content == data
    tell(f"its {1 + len(waiting)} imports were done elsewhere after {time.monotonic() - died:.1f} s")
    assert all(web.asked.count(path) == 1 for path in living.values()), "theirs went on"

    # Those of the living went on all the time.
    eventually(lambda: time.monotonic() - died > LONG, limit=2 * LONG)
    assert [apis[1].status(upload.image) for upload in slow] == ["queued", "saving", "saving"]
    assert [upload.finish() for upload in slow] == [0, 204, 204]
    expected = {*imports, *waiting, slow[1].image, slow[2].image}
    assert set(cloud.files("fast")) == expected and not cloud.files("staging")
    # The image of the dead one takes bytes again.
    assert apis[2].upload(slow[0].image, data).status_code == 204
    assert apis[1].show(slow[0].image)["os_hash_value"] == hashlib.sha512(data).hexdigest()


def test_a_restart_ends_what_the_same_service_left(cloud, eventually, tell):
    data = random.Random(6).randbytes(SIZE)
    slow = [Slow(api, data) for api in cloud.apis()]
    for upload in slow:
        eventually(lambda upload=upload: cloud.api(1).status(upload.image) == "saving")
    cloud.replicas[0].kill()
    began = time.monotonic()
    cloud.restart(0)
    eventually(lambda: cloud.api(0).status(slow[0].image) == "queued", limit=10)
    tell(f"ended {time.monotonic() - began:.1f} s after the start")
    assert [cloud.api(0).status(upload.image) for upload in slow[1:]] == ["saving", "saving"]
    assert [upload.finish() for upload in slow[1:]] == [204, 204]


def test_others_end_what_a_dead_service_was_staging(cloud, web, eventually, tell):
    """Its host is gone for good. What lay staged already waits for its import."""
    data = random.Random(12).randbytes(SIZE)
    apis = cloud.apis()
    whole = apis[0].create()
    assert stage(apis[0], whole, data).status_code == 204
    slow = [Slow(api, data, send=stage) for api in apis]
    for staging in slow:
        eventually(lambda staging=staging: apis[1].status(staging.image) == "uploading")
    cloud.replicas[0].kill()
    died = time.monotonic()
    # As it is between the last byte and the record.
    (cloud.folder / "staging" / slow[0].image).write_bytes(slow[0].data)
    eventually(lambda: apis[1].status(slow[0].image) == "queued", limit=90)
    tell(f"a dead service's staging was ended after {time.monotonic() - died:.1f} s")
    assert slow[0].image not in cloud.files("staging")
    eventually(lambda: time.monotonic() - died > LONG, limit=2 * LONG)
    assert [staging.finish() for staging in slow] == [0, 204, 204]
    # The image of the dead one is staged again.
    assert stage(apis[2], slow[0].image, data).status_code == 204
    for image in [whole, *(staging.image for staging in slow)]:
        assert import_image(apis[1], image, "glance-direct").status_code == 202
    for image in [whole, *(staging.image for staging in slow)]:
        task = eventually(lambda image=image: ended(apis[1], image), limit=60)
        assert task["status"] == "success", task
        assert apis[2].get(f"/v2/images/{image}/file").content == data
    assert not cloud.files("staging")


def test_bytes_of_a_dead_upload_are_removed_and_an_upload_of_glance_is_not_touched(
    cloud, database, eventually
):
    """A service dies between the last byte and the record; a Glance beside is `saving`, too."""
    apis = cloud.apis()
    theirs = apis[1].create()
    database.run(f"UPDATE images SET status = 'saving' WHERE id = '{theirs}'")
    (cloud.folder / "fast" / theirs).write_bytes(b"half of Glance's")
    slow = Slow(apis[0], random.Random(7).randbytes(SIZE))
    eventually(lambda: apis[1].status(slow.image) == "saving")
    cloud.replicas[0].kill()
    # As it is between the two.
    (cloud.folder / "fast" / slow.image).write_bytes(slow.data)
    eventually(lambda: apis[1].status(slow.image) == "queued", limit=90)
    assert apis[1].status(theirs) == "saving"
    assert cloud.files("fast") == [theirs]


def test_a_service_that_was_taken_for_dead_changes_nothing_any_more(cloud, eventually):
    """It is stopped, not killed: it wakes up when its image has other bytes already."""
    old, new = (random.Random(seed).randbytes(SIZE) for seed in (8, 9))
    apis = cloud.apis()
    slow = Slow(apis[0], old)
    eventually(lambda: apis[1].status(slow.image) == "saving")
    with cloud.suspended(0):
        eventually(lambda: apis[1].status(slow.image) == "queued", limit=90)
        assert apis[1].upload(slow.image, new).status_code == 204
    assert slow.finish() == 409
    for api in apis:
        assert api.get(f"/v2/images/{slow.image}/file").content == new
    assert cloud.files("fast") == [slow.image]


def test_who_wakes_up_late_is_in_nobodys_way(cloud, web, eventually):
    """Of three images, when it wakes up: one has no bytes, one gets others, one is being staged."""
    old, new = (random.Random(seed).randbytes(SIZE) for seed in (13, 14))
    apis, gate = cloud.apis(), threading.Event()
    url = web.serve(f"/{unique('late')}", old, gate)
    imported = apis[0].create()
    assert import_image(apis[0], imported, "web-download", uri=url).status_code == 202
    late = [Slow(apis[0], old) for _ in range(3)]
    for upload in late:
        eventually(lambda upload=upload: apis[1].status(upload.image) == "saving")
    eventually(lambda: last_task(apis[1], imported)["status"] == "processing")
    with cloud.suspended(0):
        for upload in late:
            eventually(lambda upload=upload: apis[1].status(upload.image) == "queued", limit=90)
        uploading = Slow(apis[1], new, image=late[1].image)
        staging = Slow(apis[2], new, send=stage, image=late[2].image)
        gate.set()
        task = eventually(lambda: ended(apis[1], imported), limit=120)
        assert task["status"] == "success", task
    assert [upload.finish() for upload in late] == [409, 409, 409]
    assert [uploading.finish(), staging.finish()] == [204, 204]
    assert apis[0].upload(late[0].image, new).status_code == 204
    assert import_image(apis[0], late[2].image, "glance-direct").status_code == 202
    eventually(lambda: apis[1].status(late[2].image) == "active", limit=60)
    for upload in late:
        assert apis[1].get(f"/v2/images/{upload.image}/file").content == new
    assert apis[2].get(f"/v2/images/{imported}/file").content == old
    assert set(cloud.files("fast")) == {imported, *(upload.image for upload in late)}
    eventually(lambda: not cloud.files("staging"))


def test_a_copied_state_directory_is_another_service(cloud, eventually):
    data = random.Random(15).randbytes(SIZE)
    slow = Slow(cloud.api(0), data)
    eventually(lambda: cloud.api(1).status(slow.image) == "saving")
    copy = cloud.folder / "replica-3"
    shutil.copytree(cloud.folder / "replica-0", copy)
    cloud.replicas.append(cloud.start(3))
    assert cloud.replicas[3].said("copied from another service's")
    names = {(cloud.folder / f"replica-{n}/worker").read_text().split("\n")[0] for n in range(4)}
    assert len(names) == 4
    assert cloud.api(3).status(slow.image) == "saving"
    assert slow.finish() == 204


@pytest.fixture(params=[*DURABLE, "sqlite"])
def anywhere(request, tmp_path):
    """Where a catalog may be: its connection string, and how many services it can have that die."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'glance.db'}", 1
        return
    database = Server(request.param).start(*DURABLE[request.param])
    yield database.url, 3
    database.close()


def test_deaths_in_the_middle_of_deletions_leave_no_bytes(clouds, anywhere, eventually, tell):
    """What lives afterwards has its bytes, and nothing else is there."""
    url, count = anywhere
    cloud, dice, images = clouds(url, count=count), random.Random(17), []
    for _ in range(4):
        api = cloud.api(0)
        burst = [api.create() for _ in range(24)]
        for image in burst:
            assert api.upload(image, image.encode()).status_code == 204
        images += burst
        enough, answered = dice.randrange(1, 16), threading.Semaphore(0)

        def delete(image, api=api, answered=answered):
            sent(lambda: api.delete(f"/v2/images/{image}"))
            answered.release()

        dying = [threading.Thread(target=delete, args=[image]) for image in burst]
        for thread in dying:
            thread.start()
        for _ in range(enough):
            assert answered.acquire(timeout=60)
        cloud.replicas[0].kill()
        cloud.restart(0)
        for thread in dying:
            thread.join()
    api = cloud.api(0)
    left = [image for image in images if api.get(f"/v2/images/{image}").status_code == 200]
    eventually(lambda: set(cloud.files("fast")) == set(left), limit=90)
    for image in left:
        assert api.get(f"/v2/images/{image}/file").content == image.encode()
    tell(len(images), "images,", len(images) - len(left), "deleted; leftovers: 0")


def test_many_deaths_leave_an_order(cloud, web, eventually, tell):
    """Each service is killed and started again while all of them are busy."""
    data = random.Random(10).randbytes(SIZE)
    url = web.serve(f"/{unique('busy')}", data)
    dice, images, answered = random.Random(11), [], []

    def burst(number):
        api = cloud.api(number)
        try:
            for _ in range(4):
                image = api.create()
                images.append(image)
                if dice.random() < 0.5:
                    answered.append((image, api.upload(image, data).status_code))
                else:
                    import_image(api, image, "web-download", uri=url)
        except requests.RequestException:
            pass

    for number in (0, 1, 2, 0, 1, 2):
        busy = [threading.Thread(target=burst, args=[n]) for n in (0, 1, 2) for _ in range(2)]
        for thread in busy:
            thread.start()
        # The moment itself is what is random here.
        time.sleep(dice.uniform(0, 0.8))
        cloud.replicas[number].kill()
        cloud.restart(number)
        for thread in busy:
            thread.join()
    api = cloud.api(0)
    settled = ("active", "queued")
    eventually(lambda: all(api.status(image) in settled for image in images), limit=120)
    active = {image for image in images if api.status(image) == "active"}
    assert active >= {image for image, status in answered if status == 204}
    assert set(cloud.files("fast")) == active
    for image in active:
        assert api.get(f"/v2/images/{image}/file").content == data
    tell(len(images), "images,", len(active), "active, all with their bytes; leftovers: 0")
