"""The cluster goes away in the middle of an upload, a download or an import: it hangs, or dies. The request
ends in time, others are served meanwhile, and once the cluster is back nothing is left, also where the
service was killed before."""

import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from importing import ended, import_image, stage
from stores.places import MIB, Rbd, missing
from stores.product import Product

SCRIPT = Path(__file__).parents[1] / "services/ceph"
# How long a request of Ceph may take, in seconds; and an upload, which ends with several of them.
LIMIT, PATIENCE = 3, 60
# A cluster takes a client for gone that has said nothing for 30 s (osd_client_watch_timeout).
FORGOTTEN = 120
# How many imports run at the same time (`max_workers`).
WORKERS = 10
SIZE, GONE_AT = 120 * MIB, 40 * MIB
DATA = random.Random(1).randbytes(SIZE)
WAYS = [(signal.SIGSTOP, ["osd"]), (signal.SIGSTOP, ["osd", "mon"]), (signal.SIGKILL, ["osd", "mon"])]


class Ceph:
    """A cluster of its own, which can be hurt."""

    def __init__(self, folder):
        self.folder = folder
        self.start()

    def start(self):
        environment = os.environ | {"CEPH_SIZE": "4"}
        subprocess.run([SCRIPT, "start", self.folder], check=True, env=environment, capture_output=True)

    def hurt(self, how, daemons):
        pids = [(self.folder / f"{name}.pid").read_text() for name in daemons]
        self.hurting = how, [int(pid) for pid in pids]
        self.tell(how)

    def heal(self):
        if self.hurting[0] == signal.SIGSTOP:
            self.tell(signal.SIGCONT)
            # Other OSDs tell the monitor of one that hung, so that it peers anew. There are none, and
            # what it had begun may stay delayed for minutes.
            command = ["ceph", "-c", self.folder / "ceph.conf", "osd", "down", "0"]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        else:
            self.start()

    def tell(self, what):
        for process in self.hurting[1]:
            os.kill(process, what)

    def stop(self):
        subprocess.run([SCRIPT, "stop", self.folder], check=True)


@pytest.fixture(scope="module")
def ceph(tmp_path_factory):
    if missing("rbd"):
        pytest.skip("TEST_CEPH_CONF is not set")
    ceph = Ceph(tmp_path_factory.mktemp("ceph"))
    yield ceph
    ceph.stop()


@pytest.fixture(scope="module")
def place(ceph):
    return Rbd(ceph.folder / "ceph.conf")


@pytest.fixture(scope="module")
def away(ceph, place, web, tmp_path_factory):
    """A service with a store in it, named `rbd`, beside one of kind file."""
    section = place.section(rados_connect_timeout=LIMIT)
    more = {"rbd": (place.kind, section)}
    product = Product({}, web, tmp_path_factory.mktemp("away"), more)
    product.secrets = place.secrets
    yield product
    product.close()


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0].name}_{'_'.join(way[1])}")
def gone(request, ceph):
    """Makes the cluster go away, until it is healed."""
    healed = []

    def heal():
        if not healed:
            healed.append(ceph.heal())

    yield lambda: ceph.hurt(*request.param), heal
    heal()


class Upload(threading.Thread):
    """One in whose middle something is done."""

    def __init__(self, product, image, then):
        super().__init__()
        self.product, self.image, self.then = product, image, then
        self.start()

    def run(self):
        self.answer = self.product.api.upload(
            self.image, self.body(), **{"X-Image-Meta-Store": "rbd"}
        )
        self.ended = time.monotonic()

    def body(self):
        for at in range(0, SIZE, MIB):
            if at == GONE_AT:
                self.then()
                self.begun = time.monotonic()
            yield DATA[at : at + MIB]


def test_an_upload_ends_and_leaves_nothing(away, place, gone, eventually):
    hurt, heal = gone
    image = away.api.create()
    upload = Upload(away, image, hurt)
    eventually(lambda: hasattr(upload, "begun"), limit=60)
    while upload.is_alive():
        # Others are served meanwhile.
        other = away.image(b"another", "file")
        assert away.data(other) == b"another"
        upload.join(timeout=1)
    assert upload.answer.status_code == 503
    assert upload.ended - upload.begun < PATIENCE
    assert away.api.status(image) == "queued"
    heal()
    eventually(lambda: place.held(image) == [], limit=FORGOTTEN)
    eventually(lambda: away.api.status(image) == "queued")
    assert away.api.upload(image, DATA, **{"X-Image-Meta-Store": "rbd"}).status_code == 204
    assert place.read(image) == DATA
    assert away.api.delete(f"/v2/images/{image}").status_code == 204
    assert place.held(image) == []


def test_what_could_not_be_removed_is_not_in_the_way(away, place, gone):
    """Who tries again at once need not wait until it is removed."""
    hurt, heal = gone
    image = away.api.create()
    upload = Upload(away, image, hurt)
    upload.join()
    heal()
    end = time.monotonic() + FORGOTTEN
    while (answer := away.api.upload(image, b"x", **{"X-Image-Meta-Store": "rbd"})).status_code != 204:
        # While what is left is removed, the image is said to be in use.
        assert answer.status_code in [409, 503] and time.monotonic() < end, answer.text
        time.sleep(0.5)
    assert place.read(image) == b"x"
    assert away.data(image) == b"x"


def test_a_download_ends(away, gone, eventually):
    hurt, heal = gone
    image = away.image(DATA, "rbd")
    answer = away.api.get(f"/v2/images/{image}/file", stream=True)
    pieces, received = answer.iter_content(MIB), b""
    while len(received) < GONE_AT:
        received += next(pieces)
    hurt()
    begun = time.monotonic()
    with pytest.raises(OSError):
        for piece in pieces:
            received += piece
        assert len(received) < SIZE
        raise ConnectionError("it ended")
    assert time.monotonic() - begun < PATIENCE
    assert received == DATA[: len(received)]
    other = away.image(b"another", "file")
    assert away.data(other) == b"another"
    heal()
    eventually(lambda: away.api.get(f"/v2/images/{image}/file").status_code == 200, limit=60)
    assert away.data(image) == DATA
    # The reader that was cut off may have it open for a while.
    delete = lambda: away.api.delete(f"/v2/images/{image}").status_code == 204
    eventually(delete, limit=FORGOTTEN)


def bring(away, web, method, image, gate):
    """Begins an import into the cluster; what comes from the web stops in its middle until the gate opens."""
    if method == "glance-direct":
        assert stage(away.api, image, DATA).status_code == 204
    elif method == "copy-image":
        assert away.api.upload(image, DATA).status_code == 204
    options = {"uri": web.serve(f"/{image}", DATA, gate)} if method == "web-download" else {}
    answer = import_image(away.api, image, method, stores=["rbd"], **options)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("method", ["web-download", "glance-direct", "copy-image"])
def test_an_import_fails_and_leaves_nothing(away, web, place, gone, eventually, method):
    hurt, heal = gone
    image, gate = away.api.create(), threading.Event()
    if method == "web-download":
        bring(away, web, method, image, gate)
        eventually(lambda: place.held(image), limit=60)
        hurt()
    else:
        # A file is quicker there than a test can look: the cluster is away before.
        hurt()
        bring(away, web, method, image, gate)
    gate.set()
    # Imports into other stores begin and end meanwhile.
    for n in range(2):
        other = away.api.create()
        url = web.serve(f"/{other}", b"another")
        assert import_image(away.api, other, "web-download", uri=url, stores=["file"]).ok
        eventually(lambda: away.api.status(other) == "active", limit=20)
    task = eventually(lambda: ended(away.api, image), limit=PATIENCE)
    assert task["status"] == "failure" and "rbd" in task["message"], task
    expected = "active" if method == "copy-image" else "queued"
    assert away.api.status(image) == expected
    heal()
    eventually(lambda: place.held(image) == [], limit=FORGOTTEN)
    if method == "copy-image":
        eventually(lambda: "os_glance_import_task" not in away.api.show(image))
        assert import_image(away.api, image, method, stores=["rbd"]).status_code == 202
        eventually(lambda: place.held(image) and "rbd" in away.api.show(image)["stores"], limit=60)
        assert place.read(image) == DATA


def test_imports_that_hang_hold_up_no_others_and_no_stop(place, web, ceph, tmp_path, eventually):
    """More than there are workers, half of them in their middle. The next service ends them all."""
    section = place.section(rados_connect_timeout=600)
    away = Product({}, web, tmp_path, {"rbd": (place.kind, section)})
    gate, images = threading.Event(), [away.api.create() for _ in range(2 * WORKERS)]
    urls = {image: web.serve(f"/{image}", DATA[: 20 * MIB], gate) for image in images}
    begin = lambda api, image, url, store: import_image(
        api, image, "web-download", uri=url, stores=[store]
    )
    for image in images[:WORKERS]:
        assert begin(away.api, image, urls[image], "rbd").status_code == 202
    eventually(lambda: all(place.held(image) for image in images[:WORKERS]), limit=60)
    ceph.hurt(signal.SIGSTOP, ["osd", "mon"])
    try:
        gate.set()
        for image in images[WORKERS:]:
            assert begin(away.api, image, urls[image], "rbd").status_code == 202
        others = [away.api.create() for _ in range(2 * WORKERS)]
        for image in others:
            assert begin(away.api, image, web.serve(f"/{image}", b"another"), "file").ok
        eventually(lambda: all(away.api.status(image) == "active" for image in others), limit=20)
        assert not any(ended(away.api, image) for image in images)
        begun = time.monotonic()
        away.close()
        assert time.monotonic() - begun < 20
    finally:
        ceph.heal()
    again = Product({}, web, tmp_path, {"rbd": (place.kind, section)})
    eventually(lambda: all(ended(again.api, image) for image in images), limit=FORGOTTEN)
    # What was there half is in the way until the cluster has forgotten who wrote it.
    failed = [image for image in images if again.api.status(image) != "active"]
    assert len(failed) < len(images)
    eventually(lambda: not any(place.held(image) for image in failed), limit=FORGOTTEN)
    again.close()


def test_an_image_that_is_deleted_meanwhile_goes(away, place, gone, eventually):
    hurt, heal = gone
    image = away.image(b"deleted while the cluster is away", "rbd")
    hurt()
    begun = time.monotonic()
    assert away.api.delete(f"/v2/images/{image}").status_code == 204
    assert time.monotonic() - begun < PATIENCE
    assert away.api.get(f"/v2/images/{image}").status_code == 404
    heal()
    eventually(lambda: place.held(image) == [], limit=FORGOTTEN)


def test_what_is_left_outlives_its_service(place, web, ceph, tmp_path, eventually):
    """Killed while the cluster is away, and started again: it knows what it has left there."""
    section = place.section(rados_connect_timeout=LIMIT)
    away = Product({}, web, tmp_path, {"rbd": (place.kind, section)})
    image = away.api.create()
    upload = Upload(away, image, lambda: ceph.hurt(signal.SIGSTOP, ["osd", "mon"]))
    try:
        upload.join()
        assert upload.answer.status_code == 503
        away.service.kill()
        again = Product({}, web, tmp_path, {"rbd": (place.kind, section)})
        assert again.api.status(image) == "queued"
    finally:
        ceph.heal()
    eventually(lambda: place.held(image) == [], limit=FORGOTTEN)
    assert again.api.status(image) == "queued"
    assert again.api.upload(image, b"x", **{"X-Image-Meta-Store": "rbd"}).status_code == 204
    again.close()
