"""What is left at a store's server of uploads that came to no good end, and of images that were deleted
while it was away: nothing, once that can be. The service is killed in the middle, or the client goes,
or the server hangs; of one that only takes its time, all is taken.

What a server holds is what its own clients list: unfinished uploads, segments, chunks and volumes too.
"""

import random
import threading
import time
from types import SimpleNamespace

import pytest

from service import Account
from stores.places import LARGE, PART
from stores.product import Product
from stores.servers import hanging

# The first bytes of an upload, which are some parts of it, and the rest.
FIRST, REST = LARGE + PART + 12_345, 2 * PART
DATA = random.Random(7).randbytes(FIRST + REST)
# A server may be silent for 60 s. It is asked to take bytes, some of them twice, and to remove them.
LIMIT = 240
# Ceph takes a client for gone that has said nothing for 30 s (osd_client_watch_timeout), and what
# could not be removed is tried again later and later.
FORGOTTEN = 150


def begin(product, store):
    """An image, and an upload of it in its middle."""
    image = product.api.create()
    return image, product.begun(image, store, DATA[:FIRST], len(DATA))


def put(product, store, image):
    """The answer to another upload of it."""
    return product.api.upload(image, DATA, **{"X-Image-Meta-Store": store}).status_code


def test_nothing_stays_where_the_client_goes(product, name, place, eventually):
    before = place.names()
    image, upload = begin(product, name)
    eventually(lambda: place.held(image))
    upload.close()
    eventually(lambda: product.api.status(image) == "queued")
    assert place.names() == before
    assert put(product, name, image) == 204
    assert place.read(image) == DATA


def test_nothing_stays_where_the_service_is_killed(name, place, web, tmp_path, eventually):
    before = place.names()
    product = Product({name: place}, web, tmp_path)
    image, _upload = begin(product, name)
    eventually(lambda: place.held(image))
    product.service.kill()
    assert place.held(image)
    again = Product({name: place}, web, tmp_path)
    eventually(lambda: place.names() == before, limit=FORGOTTEN)
    # While what is left is removed, the image is in use.
    eventually(lambda: again.api.status(image) == "queued")
    assert put(again, name, image) == 204
    assert place.read(image) == DATA
    assert again.api.delete(f"/v2/images/{image}").status_code == 204
    assert place.names() == before
    again.close()


class Asked(threading.Thread):
    """A request that takes long: its answer, and after how many seconds that came."""

    def __init__(self, request, *about):
        super().__init__()
        self.request, self.about, self.answer = request, about, None
        self.start()

    def run(self):
        begun = time.monotonic()
        self.answer = self.request(*self.about)
        self.took = time.monotonic() - begun


@pytest.fixture(scope="module")
def those_that_hang(places):
    """The stores whose server can be made to hang."""
    those = {name: place for name, place in places.items() if place.port}
    return those or pytest.skip("no server of a store is there that can be made to hang")


@pytest.fixture(scope="module")
def hung(those_that_hang, web, tmp_path_factory, eventually):
    """What came of requests to each store while its server hung: an upload in its middle, and the
    deletion of an image; and of an upload whose service was killed and started again meanwhile. All
    stores at once, for that takes minutes."""
    stores, folders = those_that_hang, [tmp_path_factory.mktemp(word) for word in ["hung", "killed"]]
    product, killed = (Product(stores, web, folder) for folder in folders)
    before = {name: place.names() for name, place in stores.items()}
    active = {name: product.image(DATA[:FIRST], name) for name in stores}
    begun = {name: begin(product, name) for name in stores}
    left = {name: begin(killed, name) for name in stores}
    for name, place in stores.items():
        eventually(lambda: place.held(begun[name][0]) and place.held(left[name][0]), limit=60)

    def delete(image):
        api = Account(product.service).api()
        return api.delete(f"/v2/images/{image}", timeout=2 * LIMIT).status_code

    def end(upload):
        upload.send(DATA[FIRST:])
        return upload.end()

    with hanging(place.port for place in stores.values()):
        uploads = {name: Asked(end, begun[name][1]) for name in stores}
        deletions = {name: Asked(delete, active[name]) for name in stores}
        killed.service.kill()
        again = Product(stores, web, folders[1])
        left = {name: image for name, (image, _) in left.items()}
        states = {name: again.api.status(image) for name, image in left.items()}
        others = 0
        while any(asked.is_alive() for asked in [*uploads.values(), *deletions.values()]):
            assert product.data(product.image(b"another", "file")) == b"another"
            others += 1
            time.sleep(0.5)
    yield {
        name: SimpleNamespace(
            product=product,
            image=begun[name][0],
            deleted=active[name],
            upload=uploads[name],
            deletion=deletions[name],
            again=again,
            left=left[name],
            state=states[name],
            before=before[name],
        )
        for name in stores
    }
    product.close()
    again.close()


@pytest.fixture
def of_hung(request, name, place):
    if not place.port:
        pytest.skip("its server is several processes: test_ceph_away.py has it")
    return request.getfixturevalue("hung")[name]


def test_an_upload_ends_whose_server_hangs(of_hung, eventually):
    assert of_hung.upload.answer == 503
    assert of_hung.upload.took < LIMIT
    # While what is left is removed, the image is in use.
    eventually(lambda: of_hung.product.api.status(of_hung.image) == "queued", limit=FORGOTTEN)


def test_an_image_is_deleted_whose_server_hangs(of_hung):
    assert of_hung.deletion.answer == 204
    assert of_hung.deletion.took < LIMIT
    assert of_hung.product.api.get(f"/v2/images/{of_hung.deleted}").status_code == 404


def test_a_service_starts_and_ends_uploads_where_servers_hang(of_hung):
    assert of_hung.state == "queued"


def test_nothing_stays_once_a_server_is_back_that_hung(of_hung, place, eventually):
    for image in [of_hung.image, of_hung.deleted, of_hung.left]:
        eventually(lambda: place.held(image) == [], limit=FORGOTTEN)
    assert place.names() == of_hung.before


def test_who_tries_again_succeeds_once_a_server_is_back_that_hung(of_hung, name, place, eventually):
    for product, image in [(of_hung.product, of_hung.image), (of_hung.again, of_hung.left)]:
        eventually(lambda: put(product, name, image) == 204, limit=FORGOTTEN)
        assert place.read(image) == DATA


# Longer, in all, than a server may be silent; between two pieces a client may be so for less.
PAUSE, PIECES = 35, 3


@pytest.fixture(scope="module")
def slow(places, product):
    """The answers to uploads whose clients take their time, to all stores at once."""
    uploads = {name: begin(product, name) for name in places}
    cuts = [FIRST + REST * n // PIECES for n in range(PIECES + 1)]
    for start, end in zip(cuts, cuts[1:]):
        time.sleep(PAUSE)
        for _, upload in uploads.values():
            upload.send(DATA[start:end])
    return {name: (image, upload.end()) for name, (image, upload) in uploads.items()}


def test_a_client_may_take_its_time(product, name, place, slow):
    image, status = slow[name]
    assert status == 204
    assert place.read(image) == product.data(image) == DATA
