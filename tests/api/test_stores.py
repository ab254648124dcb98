"""Several stores: where images go, where they are read from, and how they are taken out again."""

import os
import shutil
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from mounts import with_mount
from service import CATALOG, Account, DidNotStart
from several_stores import CONFIG, SeveralStores


@pytest.fixture
def own(start, tmp_path):
    """A service with several stores that the test may stop."""
    several = SeveralStores(start, tmp_path)
    yield several
    several.close()


def test_stores_are_listed_in_their_order(several):
    answer = several.api.get("/v2/info/stores")
    assert answer.json() == {
        "stores": [
            {"id": "fast", "description": "NVMe", "default": "true"},
            {"id": "slow"},
            {"id": "web", "read-only": "true"},
        ]
    }
    created = several.api.post("/v2/images", json={"name": "x"})
    assert created.headers["OpenStack-image-store-ids"] == "fast,slow,web"


def test_administrators_see_details(several):
    stores = several.api.get("/v2/info/stores/detail").json()["stores"]
    properties = {
        "data_dir": str(several.root / "fast"),
        "chunk_size": 65536,
        "thin_provisioning": False,
    }
    health = {"status": "ok"}
    details = {"type": "file", "weight": 10, "properties": properties, "health": health}
    assert stores[0] == {"id": "fast", "description": "NVMe", "default": "true"} | details
    details = {"type": "http", "weight": 20, "properties": {}, "health": health}
    assert stores[2] == {"id": "web", "read-only": "true"} | details
    assert several.member().get("/v2/info/stores/detail").status_code == 403


@pytest.mark.parametrize("store", [None, "fast", "slow"])
def test_an_upload_goes_where_it_is_sent(several, data, store):
    image = several.image(data, store)
    store = store or "fast"
    shown = several.api.show(image)
    path = several.root / store / image
    assert path.read_bytes() == data
    assert shown["stores"] == store
    assert shown["direct_url"] == f"file://{path}"
    assert shown["locations"] == [{"url": f"file://{path}", "metadata": {"store": store}}]
    assert several.api.get(f"/v2/images/{image}/file").content == data


@pytest.mark.parametrize(
    "store, status", [("elsewhere", 400), ("os_glance_staging_store", 400), ("web", 410)]
)
def test_an_upload_that_has_no_place_to_go_is_refused(several, store, status):
    image = several.api.create()
    answer = several.api.upload(image, b"x", **{"X-Image-Meta-Store": store})
    assert (answer.status_code, several.api.status(image)) == (status, "queued")
    assert several.api.upload(image, b"x").status_code == 204


def test_the_heaviest_store_is_read(several):
    image = several.image(b"slow", "slow")
    url = several.files.add(b"web!")
    shown = several.link(image, url).json()
    assert (shown["stores"], shown["direct_url"]) == ("web,slow", url)
    assert several.api.get(f"/v2/images/{image}/file").content == b"web!"


@pytest.mark.parametrize("failure", ["remove", "break_off"])
def test_the_next_store_is_read_where_one_fails(several, failure):
    image = several.image(b"slow", "slow")
    url = several.files.add(b"web!")
    several.link(image, url)
    getattr(several.files, failure)(url)
    answer = several.api.get(f"/v2/images/{image}/file")
    assert (answer.status_code, answer.content) == (200, b"slow")
    part = several.api.get(f"/v2/images/{image}/file", headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"lo")


def test_a_client_may_prefer_stores(several):
    image = several.image(b"slow", "slow")
    several.link(image, several.files.add(b"web!"))

    def read(query):
        return several.api.get(f"/v2/images/{image}/file?{query}")

    assert read("prefer=slow").content == b"slow"
    assert read("prefer=fast,%20slow").content == b"slow"
    assert read("prefer=fast").content == b"web!"
    assert read("prefer=,").content == b"web!"
    unknown = read("prefer=elsewhere")
    assert unknown.status_code == 400
    assert "is not configured" in unknown.text


def test_an_image_is_taken_out_of_one_of_its_stores(several):
    image = several.image(b"slow", "slow")
    several.link(image, several.files.add(b"web!"))
    assert several.api.delete(f"/v2/stores/slow/{image}").status_code == 204
    assert not (several.root / "slow" / image).exists()
    assert several.api.show(image)["stores"] == "web"
    assert several.api.get(f"/v2/images/{image}/file").content == b"web!"


def test_an_image_is_not_taken_out_where_it_can_not_be(several):
    member = several.member()

    def refused(store, image, api=several.api):
        answer = api.delete(f"/v2/stores/{store}/{image}")
        return answer.status_code

    queued = several.api.create()
    assert refused("fast", queued) == 409
    image = several.image(b"slow", "slow")
    assert refused("slow", image) == 403
    assert refused("elsewhere", image) == 409
    assert refused("slow", "0dd9e1a7-5d3e-4c8f-8a1c-5d1b1c6d4f11") == 404
    several.link(image, several.files.add(b"web!"))
    assert refused("fast", image) == 404
    assert refused("slow", image, member) == 403
    several.api.post(f"/v2/images/{image}/actions/deactivate")
    assert refused("slow", image) == 409
    assert (several.root / "slow" / image).read_bytes() == b"slow"


def test_of_two_who_take_different_places_away_one_goes_on(several):
    for _ in range(10):
        image = several.image(b"slow", "slow")
        several.link(image, several.files.add(b"web!"))
        paths = [f"/v2/stores/{store}/{image}" for store in ["slow", "web"]]
        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(several.api.delete, paths))
        assert sorted(answer.status_code for answer in answers) == [204, 403]
        left = several.api.show(image)["stores"]
        content = several.api.get(f"/v2/images/{image}/file").content
        assert content == {"slow": b"slow", "web": b"web!"}[left]


def test_the_data_that_is_gone_already_can_be_taken_out(several):
    image = several.image(b"slow", "slow")
    several.link(image, several.files.add(b"web!"))
    (several.root / "slow" / image).unlink()
    assert several.api.delete(f"/v2/stores/slow/{image}").status_code == 204
    assert several.api.show(image)["stores"] == "web"


def test_a_deleted_image_is_gone_from_all_its_stores(several):
    image = several.image(b"slow", "slow")
    several.link(image, several.files.add(b"web!"))
    assert several.api.delete(f"/v2/images/{image}").status_code == 204
    assert not (several.root / "slow" / image).exists()


def test_locations_without_a_store_are_found_by_their_urls(own):
    """As Glance wrote them before it knew several stores, and where a store was renamed."""
    images = [own.image(b"x", "slow"), own.image(b"y", "slow")]
    own.service.stop()
    with sqlite3.connect(own.service.state / "glance.db") as database:
        change = "UPDATE image_locations SET meta_data = ? WHERE image_id = ?"
        database.execute(change, ["{}", images[0]])
        database.execute(change, ['{"store": "renamed", "mountpoint": "/srv"}', images[1]])
    own.restart()
    for image, content in zip(images, [b"x", b"y"]):
        assert own.api.show(image)["stores"] == "slow"
        assert own.api.get(f"/v2/images/{image}/file").content == content
    metadata = {"store": "slow", "mountpoint": "/srv"}
    assert own.api.show(images[1])["locations"][0]["metadata"] == metadata
    assert own.api.delete(f"/v2/images/{images[0]}").status_code == 204
    assert own.stored("slow") == [images[1]]


@pytest.mark.skipif(
    CATALOG == "registry", reason="an upload of that catalog may be another service's: it stays"
)
def test_a_crash_leaves_nothing_in_any_store(own, eventually):
    kept = {store: own.image(b"kept", store) for store in ["fast", "slow"]}
    image = own.api.create()
    address = own.service.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((address[0], int(address[1]))) as client:
        head = [
            f"PUT /v2/images/{image}/file HTTP/1.1",
            f"X-Auth-Token: {own.api.headers['X-Auth-Token']}",
            "Host: x",
            "Content-Type: application/octet-stream",
            "X-Image-Meta-Store: slow",
            "Content-Length: 1000",
        ]
        client.sendall("\r\n".join([*head, "", "half"]).encode())
        eventually(lambda: own.api.status(image) == "saving")
        own.service.kill()
    # A copy that was written, but never became a location; and one that was taken from its image.
    (own.root / "slow" / kept["fast"]).write_bytes(b"kept")
    (own.root / "slow" / image).write_bytes(b"half")
    strange = own.root / "slow" / "0dd9e1a7-5d3e-4c8f-8a1c-5d1b1c6d4f11"
    strange.write_bytes(b"of another catalog")
    own.restart()
    assert own.api.status(image) == "queued"
    assert own.stored("slow") == sorted([kept["slow"], strange.name])
    assert own.stored("fast") == [kept["fast"]]
    for kept_image in kept.values():
        assert own.api.get(f"/v2/images/{kept_image}/file").content == b"kept"


def test_administrators_see_which_store_does_not_answer(start, tmp_path):
    config = f"""
[DEFAULT]
enabled_backends = near:file, far:s3
[glance_store]
default_backend = near
[near]
filesystem_store_datadir = {tmp_path}/near
[far]
s3_store_host = http://127.0.0.1:1
s3_store_access_key = AK
s3_store_secret_key = a-secret
s3_store_bucket = images
[os_glance_staging_store]
filesystem_store_datadir = {tmp_path}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {tmp_path}/tasks
"""
    api = Account(start(config=config)).api()
    stores = api.get("/v2/info/stores/detail").json()["stores"]
    near, far = (store["health"] for store in stores)
    assert near == {"status": "ok"}
    assert far["status"] == "failed" and far["reason"]
    assert "a-secret" not in far["reason"]


def test_stores_without_a_directory_are_where_glance_keeps_images(start):
    wrapper = with_mount("-t tmpfs none", "/var/lib")
    config = "[DEFAULT]\nshow_image_direct_url = true\n[glance_store]\nstores = file,http\n"
    api = Account(start(config=config, wrapper=wrapper)).api()
    image = api.create()
    assert api.upload(image, b"x").status_code == 204
    assert api.show(image)["direct_url"] == f"file:///var/lib/glance/images/{image}"


def test_one_store_of_the_old_options_is_not_seen(start, tmp_path):
    config = f"[glance_store]\nfilesystem_store_datadir = {tmp_path}/images\n"
    service = start(config=config)
    api = Account(service).api()
    for path in ["/v2/info/stores", "/v2/info/stores/detail"]:
        assert api.get(path).status_code == 404
    created = api.post("/v2/images", json={"disk_format": "raw", "container_format": "bare"})
    assert "OpenStack-image-store-ids" not in created.headers
    image = created.json()["id"]
    assert api.upload(image, b"x", **{"X-Image-Meta-Store": "ignored"}).status_code == 204
    assert (tmp_path / "images" / image).read_bytes() == b"x"
    assert not {"stores", "locations", "direct_url"} & api.show(image).keys()
    assert api.get(f"/v2/images/{image}/file?prefer=file").status_code == 400
    assert api.delete(f"/v2/stores/file/{image}").status_code == 404


@pytest.mark.parametrize(
    "right, wrong, said",
    [
        ("slow:file", "slow:tape", "store 'slow' is of the kind 'tape'"),
        ("default_backend = fast", "default_backend = tape", "default_backend = tape"),
        ("slow:file", "os_glance_slow:file", "os_glance_ are reserved"),
    ],
)
def test_stores_that_can_not_be_are_named_at_the_start(start, tmp_path, right, wrong, said):
    config = CONFIG.format(root=tmp_path, port=80).replace(right, wrong)
    with pytest.raises(DidNotStart, match=said):
        start(config=config)


@pytest.mark.parametrize("others", ["moved", "linked"])
def test_a_start_removes_nothing_of_a_directory_that_has_another_name_now(own, others):
    """Locations say the former one: they lead there no more, or by a symlink, as Glance follows them."""
    image = own.image(b"of a directory that moves", "fast")
    lost = own.image(b"copied", "slow")
    own.service.stop()
    # Bytes of a copy that was taken from its image: those go, as ever.
    shutil.copy(own.root / "slow" / lost, own.root / "fast" / lost)
    os.rename(own.root / "fast", own.root / "elsewhere")
    if others == "linked":
        (own.root / "fast").symlink_to(own.root / "elsewhere")
    own.start_with(CONFIG.replace("{root}/fast", "{root}/elsewhere"))
    assert own.stored("elsewhere") == [image]
    assert own.api.get(f"/v2/images/{image}/file").status_code == 404
    assert own.api.get(f"/v2/images/{lost}/file").content == b"copied"
    own.service.stop()
    own.start_with(CONFIG.replace("{root}/fast", "{root}/elsewhere").replace("fast", "renamed"))
    assert own.stored("elsewhere") == [image]
