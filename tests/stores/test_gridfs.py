"""Files that MongoDB's own driver has put into GridFS, as Glance's driver had it do."""

import random

import pytest

from importing import ended, import_image
from stores.places import missing

SIZE = 1_000_003


@pytest.fixture(autouse=True)
def database(places):
    return pytest.skip("TEST_MONGODB_URI is not set") if missing("gridfs") else places["gridfs"]


@pytest.mark.parametrize("chunk", [255 * 1024, 256 * 1024, 1 << 20], ids="{}_KiB".format)
def test_a_file_of_glance_is_an_image(product, database, chunk, eventually):
    data = random.Random(chunk).randbytes(SIZE)
    image = product.api.create()
    database.files.put(data, _id=image, chunkSize=chunk)
    added = {"op": "add", "path": "/locations/-", "value": {"url": f"gridfs://{image}", "metadata": {}}}
    answer = product.api.change(image, [added])
    assert answer.status_code == 200, answer.text
    shown = product.api.show(image)
    assert (shown["status"], shown["size"]) == ("active", SIZE)
    assert product.data(image) == data
    for first, last in [(0, 0), (chunk - 1, chunk + 1), (SIZE - 9, SIZE - 1)]:
        if last < SIZE:
            part = product.data(image, Range=f"bytes={first}-{last}")
            assert part == data[first : last + 1]
    copied = import_image(product.api, image, "copy-image", stores=["file"])
    assert copied.status_code == 202, copied.text
    assert eventually(lambda: ended(product.api, image), limit=60)["status"] == "success"
    assert product.api.delete(f"/v2/images/{image}").status_code == 204
    assert database.held(image) == []


def test_files_that_are_no_images_are_not_reached(product, database):
    database.files.put(b"another's", _id="another's")
    image = product.api.create()
    added = {"op": "add", "path": "/locations/-", "value": {"url": "gridfs://another's", "metadata": {}}}
    assert product.api.change(image, [added]).status_code == 400
