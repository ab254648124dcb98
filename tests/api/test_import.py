"""Staging and importing, good and bad, against the service itself."""

import gzip
import re
import hashlib
import io
import random
import threading
import uuid
import zipfile

import pytest

from importing import (
    configuration,
    data_of,
    ended,
    files,
    import_image,
    last_task,
    member,
    stage,
)
from service import Account, Api


@pytest.fixture(scope="module")
def api(importer_api):
    return importer_api


def qcow2(size=1 << 20):
    """An empty qcow2 image: header, L1 table of one entry, refcount table and one block."""
    cluster = 65536
    header = b"QFI\xfb" + b"".join(
        value.to_bytes(width, "big")
        for value, width in [
            (3, 4), (0, 8), (0, 4), (16, 4), (size, 8), (0, 4), (1, 4), (3 * cluster, 8),
            (cluster, 8), (1, 4), (0, 4), (0, 8), (0, 8), (0, 8), (0, 8), (4, 4), (104, 4),
        ]
    )  # fmt: skip
    table = (2 * cluster).to_bytes(8, "big")
    counts = (1).to_bytes(2, "big") * 4
    parts = [header, table, counts, b""]
    return b"".join(part.ljust(cluster, b"\0") for part in parts)


def test_the_methods_are_told(api):
    methods = ["glance-direct", "web-download", "copy-image", "glance-download"]
    assert api.get("/v2/info/import").json()["import-methods"]["value"] == methods
    created = api.post("/v2/images", json={})
    assert created.headers["OpenStack-image-import-methods"] == ",".join(methods)


def test_staged_bytes_become_an_image(api, importing_path, data, sha512, eventually):
    image = api.create()
    assert stage(api, image, data).status_code == 204
    staged = api.show(image)
    assert (staged["status"], staged["size"]) == ("uploading", len(data))
    assert image in files(importing_path, "staging")
    answer = import_image(api, image, "glance-direct")
    assert (answer.status_code, answer.content) == (202, b"")
    task = eventually(lambda: ended(api, image))
    assert (task["status"], task["result"]) == ("success", {"image_id": image}), task
    shown = api.show(image)
    assert (shown["status"], shown["size"], shown["stores"]) == ("active", len(data), "fast")
    assert shown["os_hash_value"] == sha512(data)
    assert shown["checksum"] == hashlib.md5(data).hexdigest()
    assert shown["os_glance_importing_to_stores"] == shown["os_glance_failed_import"] == ""
    assert "os_glance_import_task" not in shown and "os_glance_stage_host" not in shown
    assert data_of(api, image) == data
    eventually(lambda: image not in files(importing_path, "staging"))


def test_what_is_at_a_url_becomes_an_image_in_every_store(api, web, data, sha512, eventually):
    image = api.create()
    url = web.serve("/whole", data)
    asked = len([path for path in web.asked if path == "/whole"])
    assert import_image(api, image, "web-download", uri=url, all_stores=True).status_code == 202
    assert eventually(lambda: ended(api, image))["status"] == "success"
    shown = api.show(image)
    assert (shown["stores"], shown["os_hash_value"]) == ("fast,slow", sha512(data))
    assert len([path for path in web.asked if path == "/whole"]) == asked + 1, "read once"
    assert data_of(api, image) == data


def test_stores_are_reached_one_after_the_other_where_operators_want_that(
    start, web, tmp_path, data, sha512, eventually
):
    more = "[image_import_opts]\nmax_parallel_stores = 1\n"
    api = Account(start(config=configuration(tmp_path, web, more=more))).api()
    url = web.serve("/one-by-one", data)
    image = api.create()
    assert import_image(api, image, "web-download", uri=url, all_stores=True).status_code == 202
    assert eventually(lambda: ended(api, image))["status"] == "success"
    shown = api.show(image)
    assert (shown["stores"], shown["os_hash_value"]) == ("fast,slow", sha512(data))
    assert web.asked.count("/one-by-one") == 1, "read once"
    for store in ["fast", "slow"]:
        assert (tmp_path / store / image).read_bytes() == data
    # The second store fails: the first one keeps the bytes only where that is enough.
    for all_must_succeed, status in [(True, "queued"), (False, "active")]:
        image = api.create()
        (tmp_path / "slow" / image).write_bytes(b"in the way")
        answer = import_image(
            api, image, "web-download", uri=url, all_stores=True,
            all_stores_must_succeed=all_must_succeed,
        )  # fmt: skip
        assert answer.status_code == 202
        eventually(lambda: ended(api, image))
        shown = api.show(image)
        assert (shown["status"], shown["os_glance_failed_import"]) == (
            status,
            "slow" if status == "active" else "fast,slow",
        )
        assert (image in files(tmp_path, "fast")) == (status == "active")


def test_redirects_are_followed_only_where_they_may_lead(api, web, data, eventually):
    url = web.serve("/final", data)
    web.redirects["/good"] = url
    web.redirects["/bad"] = "http://169.254.169.254/latest/meta-data"
    web.redirects["/port"] = "http://127.0.0.1:22/"
    web.redirects["/file"] = "file:///etc/passwd"
    web.redirects["/circle"] = web.url("/circle")
    for path, status in [
        ("/good", "success"), ("/bad", "failure"), ("/port", "failure"),
        ("/file", "failure"), ("/circle", "failure"),
    ]:  # fmt: skip
        image = api.create()
        assert import_image(api, image, "web-download", uri=web.url(path)).status_code == 202
        assert eventually(lambda: ended(api, image))["status"] == status, path


@pytest.mark.parametrize(
    "fault", ["missing", "broken", "mismatch"], ids=["no file", "ends early", "another format"]
)
def test_a_download_that_fails_leaves_the_image_queued(
    api, web, importing_path, data, eventually, fault
):
    url = web.serve(f"/{fault}", data)
    if fault == "missing":
        url += "-at-all"
    if fault == "broken":
        web.broken.add("/broken")
    image = api.create(disk_format="qcow2" if fault == "mismatch" else "raw")
    assert import_image(api, image, "web-download", uri=url).status_code == 202
    task = eventually(lambda: ended(api, image))
    assert task["status"] == "failure" and task["message"]
    shown = api.show(image)
    assert (shown["status"], shown["size"]) == ("queued", None)
    assert (shown["os_glance_failed_import"], shown["os_glance_importing_to_stores"]) == (
        "fast",
        "",
    )
    assert "os_glance_import_task" not in shown
    for store in ["fast", "slow", "staging"]:
        assert not any(image in name for name in files(importing_path, store))
    # And it can be tried again.
    assert api.change(image, [{"op": "replace", "path": "/disk_format", "value": "raw"}]).ok
    good = web.serve("/again", data)
    assert import_image(api, image, "web-download", uri=good).status_code == 202
    eventually(lambda: api.status(image) == "active")
    assert api.show(image)["os_glance_failed_import"] == ""


def test_an_image_is_copied_to_more_stores(api, importing_path, data, eventually):
    image = api.create()
    assert api.upload(image, data).status_code == 204
    assert import_image(api, image, "copy-image", stores=["fast"]).status_code == 400
    assert import_image(api, image, "copy-image", stores=["slow"]).status_code == 202
    assert eventually(lambda: ended(api, image))["status"] == "success"
    shown = api.show(image)
    assert (shown["status"], set(shown["stores"].split(","))) == ("active", {"fast", "slow"})
    assert (importing_path / "slow" / image).read_bytes() == data
    assert import_image(api, image, "copy-image", all_stores=True).status_code == 202
    assert len(api.get(f"/v2/images/{image}/tasks").json()["tasks"]) == 1, "nothing is left to do"


def test_a_copy_that_differs_is_not_kept(api, importing_path, data, eventually):
    image = api.create()
    assert api.upload(image, data).status_code == 204
    file = importing_path / "fast" / image
    file.chmod(0o600)
    file.write_bytes(b"!" + data[1:])
    assert import_image(api, image, "copy-image", stores=["slow"]).status_code == 202
    task = eventually(lambda: ended(api, image))
    assert task["status"] == "failure" and "not those that were stored" in task["message"]
    shown = api.show(image)
    assert (shown["status"], shown["stores"]) == ("active", "fast")
    assert image not in files(importing_path, "slow")


def test_a_store_that_fails_takes_the_others_along_unless_told_otherwise(
    api, web, importing_path, data, eventually
):
    url = web.serve("/stores", data)
    for all_must_succeed, status, stores in [(True, "queued", None), (False, "active", "fast")]:
        image = api.create()
        (importing_path / "slow" / image).write_bytes(b"in the way")
        answer = import_image(
            api, image, "web-download", uri=url, all_stores=True,
            all_stores_must_succeed=all_must_succeed,
        )  # fmt: skip
        assert answer.status_code == 202
        eventually(lambda: ended(api, image))
        shown = api.show(image)
        assert (shown["status"], shown.get("stores")) == (status, stores)
        assert "slow" in shown["os_glance_failed_import"]
        assert (image in files(importing_path, "fast")) == (status == "active")
        assert (importing_path / "slow" / image).read_bytes() == b"in the way"


def test_an_import_shows_that_it_runs_and_keeps_others_out(api, web, eventually):
    gate = threading.Event()
    data = random.Random(7).randbytes(8 << 20)
    url = web.serve("/gated", data, gate)
    image = api.create()
    assert import_image(api, image, "web-download", uri=url, all_stores=True).status_code == 202
    running = eventually(lambda: (t := last_task(api, image))["status"] == "processing" and t)
    shown = api.show(image)
    assert shown["status"] == "importing"
    assert shown["os_glance_import_task"] == running["id"]
    assert shown["os_glance_importing_to_stores"] == "fast,slow"
    assert import_image(api, image, "web-download", uri=url).status_code == 409
    assert stage(api, image, b"x").status_code == 409
    assert api.upload(image, b"x").status_code == 409
    progress = eventually(lambda: last_task(api, image)["message"])
    assert progress.startswith("Copied ") and progress.endswith(" MiB")
    gate.set()
    assert eventually(lambda: ended(api, image))["status"] == "success"
    assert data_of(api, image) == data


def test_a_cancelled_import_leaves_the_image_as_it_was(api, web, importing_path, eventually):
    gate = threading.Event()
    url = web.serve("/cancelled", b"x" * (8 << 20), gate)
    image = api.create()
    assert import_image(api, image, "web-download", uri=url).status_code == 202
    task = eventually(lambda: (t := last_task(api, image))["status"] == "processing" and t)
    assert api.delete(f"/v2/tasks/{task['id']}").status_code == 204
    task = eventually(lambda: ended(api, image), limit=10)
    assert (task["status"], task["message"]) == ("failure", "Cancelled.")
    assert api.status(image) == "queued"
    assert image not in files(importing_path, "fast")
    assert api.delete(f"/v2/tasks/{task['id']}").status_code == 405
    gate.set()


def test_a_deleted_image_takes_its_import_along(api, web, importing_path, eventually):
    gate = threading.Event()
    url = web.serve("/deleted", b"x" * (4 << 20), gate)
    image = api.create()
    assert import_image(api, image, "web-download", uri=url).status_code == 202
    task = eventually(lambda: (t := last_task(api, image))["status"] == "processing" and t)
    assert api.delete(f"/v2/images/{image}").status_code == 204
    gate.set()
    eventually(lambda: api.get(f"/v2/tasks/{task['id']}").json()["status"] == "failure")
    assert image not in files(importing_path, "fast")


def test_deleting_a_staged_image_removes_what_is_staged(api, importing_path, data):
    image = api.create()
    assert stage(api, image, data).status_code == 204
    assert image in files(importing_path, "staging")
    assert api.delete(f"/v2/images/{image}").status_code == 204
    assert image not in files(importing_path, "staging")


def test_staging_is_refused_as_glance_refuses_it(api):
    image = api.create()
    url = f"/v2/images/{image}/stage"
    assert api.put(url, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert stage(api, uuid.uuid4(), b"x").status_code == 404
    too_many = {"x-openstack-image-size": str(1 << 50)}
    assert stage(api, image, iter([b"x"]), **too_many).status_code == 413
    assert stage(api, image, b"x").status_code == 204
    assert stage(api, image, b"x").status_code == 409
    assert api.upload(image, b"x").status_code == 409
    assert api.get(f"/v2/images/{image}/file").status_code == 204


@pytest.mark.parametrize("in_chunks", [False, True], ids=["of known length", "in chunks"])
@pytest.mark.parametrize("take", [stage, Api.upload], ids=["stage", "upload"])
def test_bytes_are_as_many_as_the_client_says(api, importing_path, take, in_chunks):
    image = api.create()
    for size, why in [
        ("11", "Size mismatch: expected 11 bytes, got 10 bytes"),
        ("9", "Size exceeds: expected 9 bytes, got 10 bytes"),
        ("-1", "Size exceeds: expected -1 bytes, got 10 bytes"),
        ("x", "Invalid or missing image size in request headers."),
    ]:
        data = iter([b"01234", b"56789"]) if in_chunks else b"0123456789"
        answer = take(api, image, data, **{"x-openstack-image-size": size})
        assert (answer.status_code, why in answer.text) == (400, True), answer.text
        shown = api.show(image)
        assert (shown["status"], shown["size"]) == ("queued", None)
        assert image not in files(importing_path, "staging") + files(importing_path, "fast")
    for size in ["0", "10"]:
        data = iter([b"01234", b"56789"]) if in_chunks else b"0123456789"
        image = api.create()
        assert take(api, image, data, **{"x-openstack-image-size": size}).status_code == 204
        assert api.show(image)["size"] == 10


def test_states_that_do_not_allow_an_import(api, web, data):
    url = web.serve("/states", data)
    queued, staged, active = api.create(), api.create(), api.create()
    bare = api.create(disk_format=None, container_format=None)
    assert stage(api, staged, b"x").status_code == 204
    assert api.upload(active, b"x").status_code == 204
    web_download = {"method": "web-download", "uri": url}
    for image, options in [
        (queued, {"method": "glance-direct"}),
        (queued, {"method": "copy-image"}),
        (staged, web_download),
        (staged, {"method": "copy-image"}),
        (active, {"method": "glance-direct"}),
        (active, web_download),
        (bare, web_download),
        (queued, web_download | {"stores": ["nowhere"]}),
    ]:
        assert import_image(api, image, **options).status_code == 409, options
    assert import_image(api, uuid.uuid4(), **web_download).status_code == 404


def test_bodies_that_are_refused(api, web):
    good = {"name": "web-download", "uri": web.url("/x")}
    region = {"name": "glance-download", "glance_region": "R"}
    for body in [
        {}, [], "x", {"method": {}}, {"method": "x"}, {"method": {"name": "magic"}},
        {"method": good, "all_stores": 1}, {"method": good, "all_stores_must_succeed": "yes"},
        {"method": good, "stores": ["fast"], "all_stores": True},
        {"method": good, "stores": []}, {"method": good, "stores": "fast"},
        {"method": {"name": "web-download"}},
        *({"method": {"name": "web-download", "uri": uri}} for uri in [
            "ftp://127.0.0.1/x", "file:///etc/passwd", "http://127.0.0.1:22/", "nonsense",
            "http://169.254.169.254/", "http://localhost/", "http://[::1]/", 5,
        ]),
        {"method": {"name": "glance-download"}}, {"method": region},
        {"method": region | {"glance_image_id": "x"}},
    ]:  # fmt: skip
        answer = api.post(f"/v2/images/{api.create()}/import", json=body)
        assert answer.status_code == 400, (body, answer.text)
    image = api.create()
    headers = {"X-Image-Meta-Store": "slow"}
    both = import_image(
        api, image, "web-download", uri=web.url("/x"), stores=["fast"], headers=headers
    )
    assert both.status_code == 400


def test_the_header_names_a_store(api, data, eventually):
    image = api.create()
    assert stage(api, image, data).status_code == 204
    headers = {"X-Image-Meta-Store": "slow"}
    assert import_image(api, image, "glance-direct", headers=headers).status_code == 202
    eventually(lambda: api.status(image) == "active")
    assert api.show(image)["stores"] == "slow"


def test_others_images_are_not_imported_into(api, importing, data, eventually):
    other = member(importing)
    image = api.create(visibility="community")
    assert stage(other, image, b"x").status_code == 403
    assert stage(api, image, b"x").status_code == 204
    assert import_image(other, image, "glance-direct").status_code == 403
    own = other.create()
    assert other.upload(own, data).status_code == 204
    assert import_image(other, own, "copy-image", stores=["slow"]).status_code == 403
    assert import_image(api, own, "copy-image", stores=["slow"]).status_code == 202
    eventually(lambda: set(other.show(own)["stores"].split(",")) == {"fast", "slow"})


def test_methods_that_are_not_enabled_are_unknown(start):
    config = "[DEFAULT]\nenabled_import_methods = [web-download]\n"
    api = Account(start(config=config)).api()
    image = api.create()
    assert stage(api, image, b"x").status_code == 404
    assert import_image(api, image, "copy-image").status_code == 400
    assert api.get("/v2/info/import").json()["import-methods"]["value"] == ["web-download"]


def zipped(name, data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def test_plugins_decompress_convert_and_describe(start, web, tmp_path, sha512, eventually):
    plugins = "image_decompression,image_conversion,inject_image_metadata"
    more = f"""
[image_import_opts]
image_import_plugins = [{plugins}]
[image_conversion]
output_format = raw
[inject_metadata_properties]
inject = origin:import,os_glance_secret:no
ignore_user_roles = nobody
"""
    service = start(config=configuration(tmp_path, web, more=more))
    api = Account(service).api()
    raw = bytes(1 << 20)
    for wrap in [lambda data: data, gzip.compress, lambda data: zipped("disk", data)]:
        image = api.create(disk_format="qcow2")
        url = web.serve("/plugin", wrap(qcow2()))
        assert import_image(api, image, "web-download", uri=url, all_stores=True).ok
        task = eventually(lambda: ended(api, image))
        assert task["status"] == "success", task
        shown = api.show(image)
        assert (shown["disk_format"], shown["size"]) == ("raw", 1 << 20)
        assert (shown["virtual_size"], shown["os_hash_value"]) == (1 << 20, sha512(raw))
        assert shown["origin"] == "import" and "os_glance_secret" not in shown
        assert data_of(api, image) == raw
        eventually(lambda: not files(tmp_path, "staging"))
    # Two files, damage, and what is not what it is declared as.
    for data in [zipped("a", b"x") + b"trailing" * 9000, gzip.compress(b"x" * 9999)[:-8], b"text"]:
        image = api.create(disk_format="qcow2")
        url = web.serve("/plugin", data)
        assert import_image(api, image, "web-download", uri=url).ok
        assert eventually(lambda: ended(api, image))["status"] == "failure"
        assert api.status(image) == "queued"
        eventually(lambda: not files(tmp_path, "staging"))


def test_what_is_too_large_is_refused_however_it_comes(start, web, tmp_path, data, eventually):
    more = "[image_import_opts]\nimage_import_plugins = [image_decompression]\n"
    config = configuration(tmp_path, web, default="image_size_cap = 1000000", more=more)
    api = Account(start(config=config)).api()
    image = api.create()
    assert stage(api, image, data).status_code == 413
    assert stage(api, image, iter([data])).status_code == 413
    assert api.status(image) == "queued"
    for path, body in [("/large", data), ("/bomb", gzip.compress(bytes(50 << 20)))]:
        image = api.create()
        assert import_image(api, image, "web-download", uri=web.serve(path, body)).ok
        task = eventually(lambda: ended(api, image))
        assert task["status"] == "failure", task
        assert re.search("larger than|too large", task["message"]), task
        assert api.status(image) == "queued"
    assert not files(tmp_path, "staging") and not files(tmp_path, "fast")


def test_an_image_of_another_region_is_imported_with_the_callers_token(api, data, eventually):
    source = api.create(hw_disk_bus="virtio", secret="stays", min_disk=3)
    assert api.upload(source, data).status_code == 204
    remote = {"glance_region": "regionone", "glance_image_id": source}
    image = api.create(disk_format="qcow2")
    assert import_image(api, image, "glance-download", **remote).status_code == 202
    task = eventually(lambda: ended(api, image))
    assert task["status"] == "success", task
    shown = api.show(image)
    assert (shown["disk_format"], shown["hw_disk_bus"]) == ("raw", "virtio")
    assert "secret" not in shown and data_of(api, image) == data
    for wrong in [{"glance_region": "nowhere"}, {"glance_image_id": str(uuid.uuid4())}]:
        image = api.create()
        assert import_image(api, image, "glance-download", **(remote | wrong)).status_code == 202
        assert eventually(lambda: ended(api, image))["status"] == "failure"
        assert api.status(image) == "queued"
    assert "token" not in str(task).lower()


def test_what_comes_with_an_image_of_another_region_is_as_the_operator_says(
    start, web, tmp_path, data, eventually
):
    more = "[glance_download_properties]\nextra_properties = mine_,os_\n"
    api = Account(start(config=configuration(tmp_path, web, more=more))).api()
    source = api.create(mine_a="1", os_distro="debian", hw_disk_bus="virtio")
    assert api.upload(source, data).status_code == 204
    image = api.create()
    remote = {"glance_region": "regionone", "glance_image_id": source}
    assert import_image(api, image, "glance-download", **remote).status_code == 202
    eventually(lambda: api.status(image) == "active")
    shown = api.show(image)
    assert (shown["mine_a"], shown["os_distro"]) == ("1", "debian")
    assert "hw_disk_bus" not in shown


def test_as_many_tasks_run_at_once_as_the_operator_says(start, web, tmp_path, data, eventually):
    more = "[taskflow_executor]\nmax_workers = 2\n"
    api = Account(start(config=configuration(tmp_path, web, more=more))).api()
    gate, images = threading.Event(), [api.create() for _ in range(3)]
    try:
        for image in images:
            url = web.serve(f"/{image}", data, gate)
            assert import_image(api, image, "web-download", uri=url).status_code == 202
        asked = lambda: sum(f"/{image}" in web.asked for image in images)
        eventually(lambda: asked() == 2)
        assert last_task(api, images[2])["status"] == "pending"
        assert asked() == 2
    finally:
        gate.set()
    eventually(lambda: all(api.status(image) == "active" for image in images))


def test_an_import_goes_to_the_service_that_staged(start, web, tmp_path, data, eventually):
    """Two services on one catalog and one identity, each with a staging area of its own."""
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one, two):
        path.mkdir()
    first = start(one / "state", config=configuration(one, web))
    address = first.url.removeprefix("http://")
    first.stop()
    catalog = f"[database]\nconnection = sqlite:///{tmp_path}/glance.db\n"
    own_url = f"worker_self_reference_url = {first.url}"
    config = configuration(one, web, default=own_url, more=catalog)
    first = start(one / "state", listen=address, config=config)
    config = configuration(
        two, web, default="worker_self_reference_url = http://127.0.0.1:1", more=catalog
    )
    second = start(two / "state", config=config, arguments=("--identity", "none"))
    api = Account(first).api()
    elsewhere = Account(first).api()
    elsewhere.url = second.url
    image, other = api.create(visibility="public"), api.create(visibility="public")
    for staged in (image, other):
        assert stage(api, staged, data).status_code == 204
    assert "os_glance_stage_host" not in elsewhere.show(image)
    assert import_image(elsewhere, image, "glance-direct").status_code == 202
    eventually(lambda: api.status(image) == "active")
    assert data_of(api, image) == data
    assert not files(two, "staging") and not files(two, "fast")
    assert elsewhere.delete(f"/v2/images/{other}").status_code == 204
    assert other not in files(one, "staging")
    # Whoever staged is gone: an import waits for it, a deletion does not.
    late = api.create(visibility="public")
    assert stage(api, late, data).status_code == 204
    first.stop()
    assert import_image(elsewhere, late, "glance-direct").status_code == 504
    assert elsewhere.delete(f"/v2/images/{late}").status_code == 204
