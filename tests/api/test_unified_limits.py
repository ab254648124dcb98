"""Limits that Keystone holds (`use_keystone_limits`), with a real Keystone where there is one."""

import pytest

from limits import FREE
from service import Account

MIB = 1 << 20


@pytest.fixture
def api(limited_admin):
    return limited_admin.api()


def over(resource, limit, usage, delta):
    return (
        f"[Resource {resource} is over limit of {limit} due to current usage {usage} "
        f"and delta {delta}]"
    )


def test_images_are_counted(api, limits):
    limits(**FREE | {"image_count_total": 1})
    api.create()
    refused = api.post("/v2/images", json={})
    assert refused.status_code == 413
    assert over("image_count_total", 1, 1, 1) in refused.text
    assert "is over a limit for" in refused.text


def test_a_size_that_is_known_is_refused_at_once(api, limits):
    limits(**FREE | {"image_size_total": 1})
    first, second, third = (api.create() for _ in range(3))
    refused = api.upload(first, bytes(2 * MIB))
    assert refused.status_code == 413
    assert over("image_size_total", 1, 0, 2) in refused.text
    assert api.status(first) == "queued"
    assert api.upload(first, bytes(MIB)).status_code == 204
    assert api.upload(second, bytes(MIB - 1)).status_code == 204
    assert api.upload(third, bytes(MIB)).status_code == 413


def test_uploads_are_counted_while_they_last(api, limits):
    limits(**FREE | {"image_count_uploading": 0})
    image = api.create()
    refused = api.upload(image, b"x")
    assert refused.status_code == 413
    assert over("image_count_uploading", 0, 1, 0) in refused.text
    assert api.status(image) == "queued"


def test_usage_is_told(api, limits):
    limits(**FREE | {"image_count_total": 10, "image_size_total": 5})
    api.create()
    assert api.upload(api.create(), bytes(3 * MIB)).status_code == 204
    assert api.get("/v2/info/usage").json() == {
        "usage": {
            "image_size_total": {"limit": 5, "usage": 3},
            "image_stage_total": {"limit": -1, "usage": 0},
            "image_count_total": {"limit": 10, "usage": 2},
            "image_count_uploading": {"limit": -1, "usage": 0},
        }
    }


def test_what_has_no_limit_may_not_be_had(api, limits):
    limits(image_size_total=5)
    refused = api.post("/v2/images", json={})
    assert refused.status_code == 413
    assert over("image_count_total", 0, 0, 1) in refused.text


def test_a_keystone_that_is_gone_opens_no_door(start):
    config = """
[DEFAULT]
use_keystone_limits = true
[oslo_limit]
auth_url = http://127.0.0.1:9
username = glance
password = secret
endpoint_id = x
"""
    answer = Account(start(config=config)).api().post("/v2/images", json={})
    assert answer.status_code == 503
    assert "secret" not in answer.text
