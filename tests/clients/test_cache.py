"""The image cache, as users of `glance`, `openstack` and `tintype` work it."""

import json

import pytest

from service import TINTYPE


@pytest.fixture
def node(cached):
    return cached()


def test_glance_lists_queues_and_removes(node, data, eventually):
    image = node.image(data)
    run = lambda *arguments, **options: node.admin.run("glance", *arguments, **options)
    run("cache-queue", image)
    eventually(lambda: image in node.cached())
    listed = run("cache-list")
    assert image in listed and "cached" in listed
    assert "http://node-1.example:9292" in run("cache-nodes-list", image)
    run("cache-prune")
    run("cache-clean")
    run("cache-delete", image)
    assert node.cached() == {}
    node.download(image)
    eventually(lambda: image in node.cached())
    run("cache-clear", "--target", "cache")
    assert (node.cached(), node.files()) == ({}, [])


def test_openstack_lists_queues_and_removes(node, data, eventually):
    image = node.image(data)
    run = lambda *arguments: node.admin.run("openstack", "cached", "image", *arguments)
    run("queue", image)
    eventually(lambda: image in node.cached())
    (listed,) = json.loads(run("list", "-f", "json"))
    assert (listed["ID"], listed["State"], listed["Hits"]) == (image, "cached", 0)
    assert str(listed["Size"]) == str(len(data))
    run("delete", image)
    assert node.cached() == {}
    run("clear", "--cache")
    run("clear", "--queue")
    run("clear")


def test_tintype_lists_queues_prunes_and_removes(node, data, eventually):
    image = node.image(data, name="debian-12")
    run = lambda *arguments, **options: node.admin.run(TINTYPE, "cache", *arguments, **options)
    run("queue", "debian-12")
    eventually(lambda: image in node.cached())
    (listed,) = json.loads(run("list", "--json"))["cached_images"]
    assert (listed["image_id"], listed["size"], listed["hits"]) == (image, len(data), 0)
    assert image in run("list")
    assert json.loads(run("prune", "--json"))["total_files_pruned"] == 0
    run("clean")
    run("clear", "--only", "queue")
    assert image in node.cached()
    run("delete", image)
    assert node.cached() == {}
    assert "no image" in run("delete", image + "0", status=1).lower()
    run("clear")


def test_tintype_tells_as_json_what_it_did(node, data, eventually):
    image = node.image(data, name="debian-12")
    tell = lambda *arguments: json.loads(node.admin.run(TINTYPE, "cache", *arguments, "--json"))
    assert tell("queue", "debian-12") == [{"image": "debian-12", "id": image}]
    eventually(lambda: image in node.cached())
    assert tell("delete", "debian-12") == [{"image": "debian-12", "id": image}]
    assert tell("clear") == {"cleared": ["cache", "queue"]}
    assert tell("clear", "--only", "queue") == {"cleared": ["queue"]}
    assert tell("clean") == {}


def test_tintype_tells_as_json_what_failed(node, data):
    image = node.image(data)
    said = node.admin.run(TINTYPE, "cache", "queue", "--json", "nothing", image, status=1)
    # What is for people comes on standard error, behind the other.
    failed, done = json.JSONDecoder().raw_decode(said)[0]
    assert (failed["image"], done) == ("nothing", {"image": image, "id": image})
    assert "nothing" in failed["error"]


def test_without_a_cache_clients_are_told_so(admin, api):
    said = admin.run(TINTYPE, "cache", "list", status=1)
    assert "Caching via API is not supported at this site." in said
