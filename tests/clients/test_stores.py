"""Several stores and locations, as users of `glance` and `openstack` work with them."""

import json
import re

import pytest

from service import unique


@pytest.fixture
def glance(several):
    return lambda *arguments, **options: several.admin.run("glance", *arguments, **options)


def identifier(table):
    return re.search(r"^\| id +\| (\S+)", table, re.MULTILINE)[1]


def test_stores_are_shown(glance, several):
    shown = glance("stores-info")
    assert all(name in shown for name in ["fast", "slow", "web", "NVMe"])
    assert "chunk_size" in glance("stores-info", "--detail")
    listed = several.admin.run("openstack", "image", "stores", "list", "-f", "json")
    assert [store["ID"] for store in json.loads(listed)] == ["fast", "slow", "web"]
    detailed = several.admin.run(
        "openstack", "image", "stores", "list", "--detail", "-f", "json"
    )
    assert str(several.root / "slow") in detailed


def test_an_image_lives_in_the_store_that_it_was_made_for(glance, several, file, data, tmp_path):
    formats = ["--disk-format", "raw", "--container-format", "bare"]
    image = identifier(
        glance("image-create", "--store", "slow", *formats, "--name", unique("x"), "--file", file)
    )
    assert several.api.show(image)["stores"] == "slow"
    several.link(image, several.files.add(data))
    glance("stores-delete", "--store", "slow", image)
    assert several.api.show(image)["stores"] == "web"
    copy = tmp_path / "copy.raw"
    glance("image-download", image, "--file", copy)
    assert copy.read_bytes() == data
    assert "only store" in glance("stores-delete", "--store", "web", image, status=1)


def test_locations_are_added_described_and_deleted(glance, several):
    image = several.api.create()
    first, second = several.files.add(b"same"), several.files.add(b"same")
    glance("location-add", image, "--url", first)
    glance("location-add", image, "--url", second, "--metadata", '{"note": "second"}')
    glance("location-update", image, "--url", first, "--metadata", '{"note": "first"}')
    metadata = {place["url"]: place["metadata"] for place in several.api.show(image)["locations"]}
    assert {url: place["note"] for url, place in metadata.items()} == {
        first: "first",
        second: "second",
    }
    glance("location-delete", image, "--url", first)
    assert several.api.show(image)["direct_url"] == second
    assert "last location" in glance("location-delete", image, "--url", second, status=1)


def test_a_location_is_attached(glance, several, eventually):
    image = several.api.create()
    glance("add-location", image, "--url", several.files.add(b"attached"))
    eventually(lambda: several.api.show(image)["os_hash_value"])
    assert several.api.get(f"/v2/images/{image}/file").content == b"attached"
