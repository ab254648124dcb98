"""The image cache: what is in it, what it serves, and what it must never serve."""

import os
import threading

import pytest
import requests

from importing import configuration
from service import Account, unique


@pytest.mark.parametrize("driver", ["centralized_db", "sqlite", "xattr"])
def test_a_download_fills_the_cache_and_the_next_one_comes_from_it(cached, data, eventually, driver):
    node = cached(driver=driver)
    image = node.image(data)
    assert node.cached() == {}
    assert node.download(image).content == data
    eventually(lambda: image in node.cached())
    node.lose_store(image)
    answer = node.download(image)
    assert answer.content == data
    assert answer.headers["Content-MD5"] == node.api.show(image)["checksum"]
    assert node.download(image, Range="bytes=100-199").content == data[100:200]
    shown = node.cached()[image]
    assert (shown["size"], shown["hits"]) == (len(data), 2)
    assert node.files() == [image]

    assert node.service.stop() == 0
    node.restart()
    assert node.cached()[image]["hits"] == 2
    assert node.download(image).content == data


def test_parts_of_an_image_are_not_cached(cached, data):
    node = cached()
    image = node.image(data)
    assert node.download(image, Range="bytes=0-9").content == data[:10]
    assert node.files() == []


def test_a_reader_that_leaves_takes_its_fill_with_it(cached, eventually):
    node = cached()
    image = node.image(b"\x5a" * (64 << 20))
    address = f"{node.service.url}/v2/images/{image}/file"
    reader = requests.get(address, headers=node.api.headers, stream=True, timeout=30)
    next(reader.iter_content(1024))
    reader.close()
    # Either it was quicker than the reader, or nothing of it stays.
    eventually(lambda: node.files() in ([], [image]))


def test_many_readers_of_an_image_that_is_not_cached_all_get_it(cached, data):
    node = cached()
    image = node.image(data * 8)
    bodies = []
    read = lambda: bodies.append(node.admin.api().get(f"/v2/images/{image}/file").content)
    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(bodies) == 8
    assert all(body == data * 8 for body in bodies)


def test_bytes_that_are_not_the_images_are_not_cached_and_not_delivered_whole(cached, data):
    node = cached()
    image = node.image(data)
    path = node.service.state / "images" / image
    path.write_bytes(data[:-1] + b"?")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _ = node.download(image).content
    assert image not in node.cached()
    assert node.files() == []


def test_a_queued_image_is_fetched(cached, data, eventually):
    node = cached(flavor="keystone")
    image = node.image(data)
    assert node.api.put(f"/v2/cache/{image}").status_code == 202
    eventually(lambda: image in node.cached() and not node.queued())
    assert node.files() == [image]
    assert node.api.delete(f"/v2/cache/{image}").status_code == 204
    assert node.cached() == {}
    assert node.files() == []


def test_the_queue_is_looked_at_as_often_as_the_operator_says(cached, data, eventually):
    more = "cache_prefetcher_interval = 1\nimage_cache_sqlite_db = mine.db"
    node = cached(driver="sqlite", more=more)
    image = node.image(data)
    # As another process queues it, of which the service is not told.
    (node.folder / "queue" / image).touch()
    eventually(lambda: image in node.cached(), limit=10)
    assert (node.folder / "mine.db").exists() and not (node.folder / "cache.db").exists()


def test_what_is_queued_is_fetched_after_a_restart(cached, data, eventually):
    node = cached()
    image = node.image(data)
    node.service.kill()
    (node.folder / "queue" / image).touch()
    node.restart()
    eventually(lambda: image in node.cached())


def test_only_active_images_are_queued(cached):
    node = cached()
    image = node.api.create()
    refused = node.api.put(f"/v2/cache/{image}")
    assert refused.status_code == 400
    assert "Only images with status active can be targeted for queueing" in refused.text
    missing = "0b5c2ee2-5d2e-4ba6-9f0d-4a39dc07ba57"
    for request in (node.api.put, node.api.delete):
        answer = request(f"/v2/cache/{missing}")
        assert answer.status_code == 404
        assert f"Image {missing} not found." in answer.text


@pytest.mark.parametrize("in_chunks", [False, True], ids=["of known length", "in chunks"])
def test_a_body_is_refused_where_none_is_expected(cached, data, eventually, in_chunks):
    node = cached()
    image, other = node.image(data), node.image(data)
    node.download(image)
    eventually(lambda: image in node.cached())
    for method, path in [
        ("POST", "/v2/cache/clean"),
        ("POST", "/v2/cache/prune"),
        ("PUT", f"/v2/cache/{other}"),
        ("DELETE", f"/v2/cache/{image}"),
        ("DELETE", "/v2/cache"),
    ]:
        if in_chunks and method == "DELETE":
            continue  # Chunks are no body there, to Glance as to us.
        body = iter([b"{", b"}"]) if in_chunks else b"{}"
        answer = node.api.request(method, path, data=body)
        assert answer.status_code == 400, (method, path)
        assert "A body is not expected with this request." in answer.text
    assert image in node.cached() and other not in node.cached()
    assert node.queued() == []


def test_the_cache_is_cleared_by_halves(cached, data, eventually):
    node = cached()
    image = node.image(data)

    def clear(**headers):
        return node.api.delete("/v2/cache", headers=headers).status_code

    node.download(image)
    eventually(lambda: image in node.cached())
    assert clear(**{"x-image-cache-clear-target": "queue"}) == 204
    assert image in node.cached()
    assert clear(**{"x-image-cache-clear-target": "nonsense"}) == 400
    assert clear(**{"x-image-cache-clear-target": "cache"}) == 204
    assert node.cached() == {}
    node.download(image)
    eventually(lambda: image in node.cached())
    assert clear() == 204
    assert (node.cached(), node.files()) == ({}, [])


def test_the_least_recently_read_image_goes_when_there_is_no_room(cached, eventually):
    size = 1 << 20
    node = cached(max_size=2 * size)
    images = [node.image(bytes([number]) * size) for number in range(3)]
    for image in images[:2]:
        node.download(image)
        eventually(lambda: image in node.cached())
    node.download(images[0])
    node.download(images[2])
    eventually(lambda: sorted(node.cached()) == sorted([images[0], images[2]]))
    pruned = node.api.post("/v2/cache/prune")
    assert pruned.status_code == 200
    assert pruned.json() == {"total_files_pruned": 0, "total_bytes_pruned": 0}


def test_an_image_that_can_not_fit_passes_by(cached, data):
    node = cached(max_size=1024)
    image = node.image(data)
    assert node.download(image).content == data
    assert (node.cached(), node.files()) == ({}, [])


def test_a_deleted_image_leaves_the_cache(cached, data, eventually):
    node = cached()
    image = node.image(data)
    node.download(image)
    eventually(lambda: image in node.cached())
    assert node.api.delete(f"/v2/images/{image}").status_code == 204
    assert (node.cached(), node.files()) == ({}, [])
    assert node.download(image).status_code == 404


def test_a_crash_leaves_nothing_that_is_not_whole(cached, data, eventually):
    node = cached()
    image, gone = node.image(data), node.image(data)
    for name in (image, gone):
        node.download(name)
        eventually(lambda: name in node.cached())
    node.service.kill()
    for leftover in ["incomplete/" + image, "invalid/" + image]:
        (node.folder / leftover).write_bytes(b"half")
    (node.folder / gone).unlink()
    (node.folder / "0b5c2ee2-5d2e-4ba6-9f0d-4a39dc07ba57").write_bytes(b"of no image")
    node.restart()
    assert node.files() == [image]
    assert list(node.cached()) == [image]


def test_a_kill_in_the_midst_of_a_fill_leaves_nothing_of_it(
    cached, web, tmp_path, data, eventually
):
    stores = {"fast": ("file", f"filesystem_store_datadir = {tmp_path}/fast"), "web": ("http", "")}
    node = cached(more=configuration(tmp_path, web, stores, "show_multiple_locations = true"))
    # The second half does not come: the fill is in its midst until it is killed.
    gate = threading.Event()
    place = {"url": web.serve(f"/{unique('gated')}", data, gate), "metadata": {}}
    image = node.api.create()
    added = node.api.change(image, [{"op": "add", "path": "/locations/-", "value": place}])
    assert added.status_code == 200, added.text
    address = f"{node.service.url}/v2/images/{image}/file"
    reader = requests.get(address, headers=node.api.headers, stream=True, timeout=30)
    eventually(lambda: any(name.startswith("incomplete/") for name in node.files()))
    node.service.kill()
    reader.close()
    gate.set()
    node.restart()
    assert not any("/" in name for name in node.files())
    assert node.download(image).content == data


def test_what_is_closed_stays_closed_when_it_is_cached(cached, data, eventually):
    node = cached()
    project, user = unique("project"), unique("user")
    cloud = node.admin.sdk()
    created = cloud.identity.create_project(name=project, domain_id="default")
    owner = cloud.identity.create_user(name=user, password=user, domain_id="default")
    role = cloud.identity.find_role("member", ignore_missing=False)
    cloud.identity.assign_project_role_to_user(created, owner, role)
    other = Account(node.service, user, user, project).api()

    image = node.image(data, visibility="public")
    node.download(image)
    eventually(lambda: image in node.cached())
    assert other.get(f"/v2/images/{image}/file").content == data
    node.api.post(f"/v2/images/{image}/actions/deactivate")
    assert other.get(f"/v2/images/{image}/file").status_code == 403
    node.api.post(f"/v2/images/{image}/actions/reactivate")
    node.api.change(image, [{"op": "replace", "path": "/visibility", "value": "private"}])
    assert other.get(f"/v2/images/{image}/file").status_code == 404

    for method, path in ROUTES:
        path = path.format(image=node.image(b"x", visibility="public"))
        assert other.request(method, path).status_code == 403, (method, path)


ROUTES = [
    ("GET", "/v2/cache"),
    ("DELETE", "/v2/cache"),
    ("PUT", "/v2/cache/{image}"),
    ("DELETE", "/v2/cache/{image}"),
    ("POST", "/v2/cache/clean"),
    ("POST", "/v2/cache/prune"),
    ("GET", "/v2/cache/nodes/{image}"),
]


@pytest.mark.parametrize("method, path", ROUTES)
def test_without_a_cache_there_is_none(api, method, path):
    answer = api.request(method, path.format(image=api.create()))
    assert answer.status_code == 404
    assert "Caching via API is not supported at this site." in answer.text


def test_the_nodes_that_keep_an_image_are_listed(cached, data, eventually):
    node = cached()
    image = node.image(data)
    answer = node.api.get(f"/v2/cache/nodes/{image}")
    assert (answer.status_code, answer.json()) == (200, [])
    node.download(image)
    eventually(lambda: image in node.cached())
    assert node.api.get(f"/v2/cache/nodes/{image}").json() == ["http://node-1.example:9292"]
    missing = node.api.get("/v2/cache/nodes/0b5c2ee2-5d2e-4ba6-9f0d-4a39dc07ba57")
    assert missing.status_code == 404


def test_nodes_that_keep_their_records_to_themselves_know_no_others(cached, data):
    node = cached(driver="sqlite")
    answer = node.api.get(f"/v2/cache/nodes/{node.image(data)}")
    assert answer.status_code == 409
    assert "Centralized caching is not enabled" in answer.text


def test_cleaning_removes_what_is_invalid(cached):
    node = cached(more="image_cache_stall_time = 3600")
    (node.folder / "invalid" / "x").write_bytes(b"x")
    (node.folder / "incomplete" / "y").write_bytes(b"y")
    assert node.api.post("/v2/cache/clean").status_code == 200
    assert node.files() == ["incomplete/y"]


def test_the_versions_tell_of_the_cache(cached, api):
    versions = lambda api: {version["id"] for version in api.get("/versions").json()["versions"]}
    assert {"v2.14", "v2.16"} <= versions(cached().api)
    assert not {"v2.14", "v2.16"} & versions(api)


def test_a_file_that_somebody_took_away_is_fetched_again(cached, data, eventually):
    node = cached()
    image = node.image(data)
    node.download(image)
    eventually(lambda: image in node.cached())
    (node.folder / image).unlink()
    assert node.download(image).content == data
    eventually(lambda: node.files() == [image])
