"""Quotas that an operator configures: how much a project, and an image, may have."""

import concurrent.futures

import pytest

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
