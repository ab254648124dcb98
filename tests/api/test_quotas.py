"""Quotas that an operator configures: how much a project, and an image, may have."""

import concurrent.futures

import pytest

from importing import configuration, ended, files, import_image, stage
from service import Account


@pytest.fixture
def api(start):
    """Starts a service with options and returns a session."""

    def api(*options):
        config = "[DEFAULT]\n" + "\n".join(options)
        service = start(config=config)
        session = Account(service).api()
        session.service = service
        return session

    return api


def pieces(data):
    """A body whose length is not said."""
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


@pytest.mark.parametrize("body", [bytes, pieces], ids=["length known", "length unknown"])
def test_a_project_stores_no_more_than_its_quota(api, body):
    api = api("user_storage_quota = 4KB")
    first, second = api.create(), api.create()
    refused = api.upload(first, body(bytes(4097)))
    assert refused.status_code == 413
    assert "Image exceeds the storage quota: The size of the data" in refused.text
    assert "will exceed the limit. 4096 bytes remaining." in refused.text
    assert api.status(first) == "queued"
    assert api.service.stored_files() == []
    assert api.upload(first, body(bytes(4096))).status_code == 204
    refused = api.upload(second, body(b"x"))
    assert refused.status_code == 413 and "0 bytes remaining" in refused.text
    assert api.delete(f"/v2/images/{first}").status_code == 204
    assert api.upload(second, body(b"x")).status_code == 204


def test_uploads_at_once_share_a_quota(api):
    api = api("user_storage_quota = 3MB")
    images = [api.create() for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        uploads = [pool.submit(api.upload, image, bytes(1 << 20)) for image in images]
        codes = sorted(upload.result().status_code for upload in uploads)
    assert set(codes) <= {204, 413} and codes.count(204) <= 3
    stored = [image for image in images if api.status(image) == "active"]
    assert api.service.stored_files() == sorted(stored) and len(stored) == codes.count(204)


@pytest.mark.parametrize("body", [bytes, pieces], ids=["length known", "length unknown"])
def test_an_image_is_no_larger_than_the_cap(api, body):
    api = api("image_size_cap = 2000")
    image = api.create()
    refused = api.upload(image, body(bytes(2001)))
    assert refused.status_code == 413
    assert "The incoming image is too large: The provided image is too large." in refused.text
    assert api.upload(image, body(bytes(2000))).status_code == 204


def test_properties_have_a_quota(api):
    api = api("image_property_quota = 1")
    refused = api.post("/v2/images", json={"a": "1", "b": "2"})
    assert refused.status_code == 413
    assert "allowed image properties. Attempted: 2, Maximum: 1" in refused.text
    image = api.create(a="1")
    assert api.change(image, [{"op": "add", "path": "/a", "value": "2"}]).status_code == 200
    refused = api.change(image, [{"op": "add", "path": "/b", "value": "2"}])
    assert refused.status_code == 413
    swap = [{"op": "remove", "path": "/a"}, {"op": "add", "path": "/b", "value": "2"}]
    assert api.change(image, swap).status_code == 200


def test_tags_have_a_quota(api):
    api = api("image_tag_quota = 1")
    refused = api.post("/v2/images", json={"tags": ["a", "b"]})
    assert refused.status_code == 413
    assert "allowed image tags. Attempted: 2, Maximum: 1" in refused.text
    image = api.create()
    assert api.put(f"/v2/images/{image}/tags/a").status_code == 204
    refused = api.put(f"/v2/images/{image}/tags/b")
    assert refused.status_code == 413
    assert f"Image tag limit exceeded for image {image}: The limit has been" in refused.text
    both = [{"op": "replace", "path": "/tags", "value": ["a", "b"]}]
    assert api.change(image, both).status_code == 413


def test_members_have_a_quota(api):
    api = api("image_member_quota = 1")
    image = api.create()
    assert api.post(f"/v2/images/{image}/members", json={"member": "a"}).status_code == 200
    refused = api.post(f"/v2/images/{image}/members", json={"member": "b"})
    assert refused.status_code == 413
    assert f"Image member limit exceeded for image {image}: The limit has been" in refused.text


def test_an_image_over_a_lowered_quota_can_still_be_changed(start):
    service = start(config="[DEFAULT]\n")
    api = Account(service).api()
    image = api.create(a="1", b="2", tags=["a", "b"])
    assert service.stop() == 0
    lowered = start(config="[DEFAULT]\nimage_property_quota = 1\nimage_tag_quota = 1\n")
    api = Account(lowered).api()
    assert api.change(image, [{"op": "replace", "path": "/name", "value": "n"}]).status_code == 200
    assert api.change(image, [{"op": "remove", "path": "/a"}]).status_code == 200


def test_a_negative_quota_is_none(api):
    names = ["property", "tag", "member"]
    api = api(*[f"image_{name}_quota = -1" for name in names])
    many = [f"t{number}" for number in range(200)]
    image = api.create(tags=many, **{name: "x" for name in many})
    assert len(api.show(image)["tags"]) == 200


def test_without_keystones_limits_no_usage_is_told(api):
    assert api().get("/v2/info/usage").json() == {"usage": {}}


@pytest.fixture
def importing_api(start, tmp_path, web):
    """Starts a service with two stores and options, that imports."""

    def api(*options):
        options = "\n".join(options)
        return Account(start(config=configuration(tmp_path, web, default=options))).api()

    return api


def fill(api, web, method, image, data):
    if method == "glance-direct":
        assert stage(api, image, data).status_code == 204
        return import_image(api, image, method, stores=["fast", "slow"])
    return import_image(api, image, method, uri=web.serve(f"/{image}", data), stores=["fast"])


@pytest.mark.parametrize("method", ["glance-direct", "web-download"])
def test_an_import_takes_no_more_than_the_quota(importing_api, tmp_path, web, eventually, method):
    api = importing_api("user_storage_quota = 4KB")
    image = api.create()
    assert fill(api, web, method, image, bytes(4097)).status_code == 202
    task = eventually(lambda: ended(api, image))
    assert task["status"] == "failure"
    assert "will exceed the limit. 4096 bytes remaining." in task["message"]
    assert api.status(image) == "queued"
    assert [files(tmp_path, name) for name in ("fast", "slow", "staging")] == [[], [], []]
    assert fill(api, web, method, image, bytes(4096)).status_code == 202
    eventually(lambda: api.status(image) == "active")


def test_imports_at_once_share_a_quota(importing_api, tmp_path, eventually):
    api = importing_api("user_storage_quota = 3MB")
    images = [api.create() for _ in range(6)]
    for image in images:
        assert stage(api, image, bytes(1 << 20)).status_code == 204
    for image in images:
        assert import_image(api, image, "glance-direct").status_code == 202
    tasks = [eventually(lambda: ended(api, image)) for image in images]
    stored = sorted(image for image in images if api.status(image) == "active")
    assert len(stored) == 3 and files(tmp_path, "fast") == stored
    refused = [task["message"] for task in tasks if task["status"] == "failure"]
    assert len(refused) == 3
    assert all("Image exceeds the storage quota" in message for message in refused)
    assert files(tmp_path, "staging") == []


def test_a_copy_counts_once_it_is_there(importing_api, tmp_path, eventually):
    """As in Glance: what the image itself has does not keep it from being copied."""
    api = importing_api("user_storage_quota = 4KB")
    image, another = api.create(), api.create()
    assert api.upload(image, bytes(3000)).status_code == 204
    assert import_image(api, image, "copy-image", stores=["slow"]).status_code == 202
    assert eventually(lambda: ended(api, image))["status"] == "success"
    refused = api.upload(another, b"x")
    assert refused.status_code == 413 and "-1904 bytes remaining" in refused.text


def test_a_task_of_the_older_api_has_the_same_quota(importing_api, tmp_path, web, eventually):
    api = importing_api("user_storage_quota = 4KB")
    source = {"import_from": web.serve("/large", bytes(4097)), "import_from_format": "raw"}
    source["image_properties"] = {"name": "large"}
    task = api.post("/v2/tasks", json={"type": "import", "input": source}).json()["id"]
    failed = lambda: api.get(f"/v2/tasks/{task}").json()["status"] == "failure"
    eventually(failed)
    assert "4096 bytes remaining" in api.get(f"/v2/tasks/{task}").json()["message"]
    assert files(tmp_path, "fast") == []


@pytest.fixture
def located(start, tmp_path, web):
    """Starts a service whose images may lie at the test's web server."""

    def located(*options):
        options = ["show_multiple_locations = true", *options]
        text = configuration(tmp_path, web, default="\n".join(options))
        text = text.replace("slow:file", "slow:file, web:http") + "[web]\n"
        service = start(config=text)
        api = Account(service).api()
        api.service = service
        return api

    return located


def add(api, image, *urls):
    values = [{"url": url, "metadata": {}} for url in urls]
    return api.change(
        image, [{"op": "add", "path": "/locations/-", "value": value} for value in values]
    )


def replace(api, image, *urls):
    values = [{"url": url, "metadata": {}} for url in urls]
    return api.change(image, [{"op": "replace", "path": "/locations", "value": values}])


def test_locations_have_a_quota(located, web, eventually):
    api = located("image_location_quota = 1")
    one, two = web.serve("/one", b"1234"), web.serve("/two", b"1234")
    image = api.create()
    words = "on the number of allowed image locations. Attempted: 2, Maximum: 1"
    for refused in [replace(api, image, one, two), add(api, image, one, two)]:
        assert refused.status_code == 413 and words in refused.text, refused.text
    assert api.status(image) == "queued"
    assert add(api, image, one).status_code == 200
    refused = add(api, image, two)
    assert refused.status_code == 413 and words in refused.text


def test_no_location_is_attached_where_none_is_allowed(located, web, eventually):
    api = located("image_location_quota = 0")
    image = api.create()
    url = web.serve("/attached", b"1234")
    assert api.post(f"/v2/images/{image}/locations", json={"url": url}).status_code == 202
    said = lambda: any("Attempted: 1, Maximum: 0" in line for line in api.service.log)
    eventually(said)
    assert api.status(image) == "queued"


def test_locations_take_of_the_quota(located, web):
    api = located("user_storage_quota = 7")
    one, two = web.serve("/one", b"1234"), web.serve("/two", b"1234")
    image = api.create()
    refused = replace(api, image, one, two)
    assert refused.status_code == 413
    words = "Denying attempt to upload image because it exceeds the quota: The size of the data"
    assert f"{words} 8 will exceed the limit. 7 bytes remaining." in refused.text
    assert add(api, image, one).status_code == 200
    refused = add(api, image, two)
    assert refused.status_code == 413
    assert f"{words} 4 will exceed the limit. 3 bytes remaining." in refused.text
