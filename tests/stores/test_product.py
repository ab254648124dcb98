"""The service with stores at real servers: what users do with images there, and what is left."""

import json
import random

import pytest

from importing import ended, files, import_image, last_task, stage
from service import unique
from stores.places import LARGE, PART
from stores.product import Product


def bytes_of(size):
    return random.Random(size).randbytes(size)


# Of images in a place.
SIZES = {
    "one": lambda place: 1,
    "whole": lambda place: place.large - 1,
    "of_two_parts": lambda place: place.large,
    "of_several_parts": lambda place: place.large + place.part + 12_345,
}
# More than Swift is asked for at once, too.
LARGEST = LARGE + 2 * PART + 12_345


@pytest.fixture(scope="module")
def large():
    return bytes_of(LARGEST)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_what_is_uploaded_is_downloaded(product, name, place, size, sha512):
    size = size(place)
    data = bytes_of(size)
    image = product.image(data, name)
    shown = product.api.show(image)
    assert (shown["status"], shown["size"], shown["stores"]) == ("active", size, name)
    assert shown["os_hash_value"] == sha512(data)
    assert product.data(image) == data
    assert place.held(image) == place.layout(image, size)
    assert place.read(image) == data


def test_an_image_may_be_empty(product, name, place):
    image = product.image(b"", name)
    answer = product.api.get(f"/v2/images/{image}/file")
    assert (answer.content, product.api.show(image)["size"]) == (b"", 0)
    assert place.read(image) == b""


def test_a_length_need_not_be_known(product, name, place, large):
    pieces = (large[at : at + 1_000_000] for at in range(0, len(large), 1_000_000))
    image = product.image(pieces, name)
    assert product.api.show(image)["size"] == LARGEST
    assert product.data(image) == large
    assert place.read(image) == large


@pytest.mark.parametrize(
    "first, last",
    [
        (0, 0),
        (0, 99),
        (PART - 10, PART + 10),
        (PART, 2 * PART - 1),
        (PART - 1, 2 * PART),
        (LARGEST - 5, LARGEST - 1),
        (100, LARGEST - 1),
    ],
)
def test_ranges_are_read(product, ranged, large, first, last):
    part = product.data(ranged, Range=f"bytes={first}-{last}")
    assert part == large[first : last + 1]


@pytest.fixture(scope="module")
def imaged():
    return {}


@pytest.fixture
def ranged(product, name, imaged, large):
    """One image in each store, for all ranges."""
    if name not in imaged:
        imaged[name] = product.image(large, name)
    return imaged[name]


def test_ranges_that_are_not_there_are_refused(product, ranged):
    answer = product.api.get(f"/v2/images/{ranged}/file", headers={"Range": f"bytes={LARGEST}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{LARGEST}")


def test_an_image_comes_from_the_web(product, web, name, place, large, eventually):
    image = product.api.create()
    url = web.serve(f"/{unique('file')}", large)
    assert import_image(product.api, image, "web-download", uri=url, stores=[name]).status_code == 202
    task = eventually(lambda: ended(product.api, image), limit=60)
    assert task["status"] == "success", task
    assert product.data(image) == place.read(image) == large


def test_a_staged_image_goes_into_all_stores(product, places, large, eventually):
    if not places:
        pytest.skip("no server of a store is there")
    image = product.api.create()
    assert stage(product.api, image, large).status_code == 204
    asked = import_image(product.api, image, "glance-direct", all_stores=True)
    assert asked.status_code == 202
    task = eventually(lambda: ended(product.api, image), limit=120)
    assert task["status"] == "success", task
    assert set(product.api.show(image)["stores"].split(",")) == {"file", *places}
    for name, place in places.items():
        assert place.read(image) == large, name


def test_an_image_is_copied_from_each_store_to_each(product, places, name, large, eventually):
    image = product.image(large, name)
    others = [other for other in ["file", *places] if other != name]
    for other in others:
        copy(product, image, other, eventually)
        # The copy is read, for it is all that there is.
        [before] = {*product.api.show(image)["stores"].split(",")} - {other}
        assert product.api.delete(f"/v2/stores/{before}/{image}").status_code == 204
        assert product.data(image) == large, f"{before} to {other}"
        copy(product, image, name, eventually)
        assert product.api.delete(f"/v2/stores/{other}/{image}").status_code == 204
        assert product.data(image) == large, f"{other} to {name}"
    held = [place for place in places.values() if place.held(image)]
    assert held == [places[name]]
    assert image not in files(product.folder, "images")


def copy(product, image, store, eventually):
    asked = import_image(product.api, image, "copy-image", stores=[store])
    assert asked.status_code == 202, asked.text
    task = eventually(lambda: ended(product.api, image), limit=60)
    assert task["status"] == "success", task


@pytest.mark.parametrize("size", [LARGE - 1, LARGEST])
def test_nothing_stays_of_a_deleted_image(product, name, place, size):
    image = product.image(bytes_of(size), name)
    assert place.held(image)
    assert product.api.delete(f"/v2/images/{image}").status_code == 204
    assert place.held(image) == []


def test_administrators_see_details(product, name, place):
    answer = product.api.get("/v2/info/stores/detail")
    [shown] = [store for store in answer.json()["stores"] if store["id"] == name]
    assert shown == {
        "id": name,
        "type": place.kind,
        "weight": 0,
        "properties": place.detail,
        "health": {"status": "ok"},
    }


def test_locations_have_no_credentials(product, name):
    shown = product.api.show(product.image(b"x", name))
    [location] = shown["locations"]
    assert location["url"] == shown["direct_url"]
    assert "@" not in location["url"]


def test_what_a_store_refuses_is_told_without_secrets(name, place, web, tmp_path, eventually):
    """A wrong key, and a server that is away: in answers, tasks and the log there is no key."""
    wrong, never = unique("secret"), "http://127.0.0.1:1"
    more = {"away": (place.kind, place.section(**place.at(never)))}
    if refused := place.wrong(wrong):
        more["wrong"] = (place.kind, place.section(**refused))
    product = Product({name: place}, web, tmp_path, more)
    product.secrets.append(wrong)
    url = web.serve(f"/{unique('file')}", b"from the web")
    for store in more:
        image = product.api.create()
        answer = product.api.upload(image, b"x", **{"X-Image-Meta-Store": store})
        assert (answer.status_code, product.api.status(image)) == (503, "queued"), answer.text
        import_image(product.api, image, "web-download", uri=url, stores=[store])
        task = eventually(lambda: ended(product.api, image), limit=60)
        assert task["status"] == "failure"
        assert store in json.dumps(last_task(product.api, image))
    product.close()
