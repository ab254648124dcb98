"""Limits that Keystone holds (`use_keystone_limits`), with a real Keystone where there is one:
TEST_KEYSTONE_URL and TEST_KEYSTONE_PASSWORD name it and its administrator's password."""

import os

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from service import Account

KEYSTONE = os.environ.get("TEST_KEYSTONE_URL")
PASSWORD = os.environ.get("TEST_KEYSTONE_PASSWORD", "")
MIB = 1 << 20

pytestmark = pytest.mark.skipif(not KEYSTONE, reason="TEST_KEYSTONE_URL names no Keystone")


class Keystone(requests.Session):
    """Keystone as its administrator."""

    def __init__(self):
        super().__init__()
        # uWSGI closes connections without saying so beforehand.
        self.headers["Connection"] = "close"
        again = Retry(total=5, read=5, connect=5, allowed_methods=None)
        self.mount(KEYSTONE, HTTPAdapter(max_retries=again))
        user = {"name": "admin", "domain": {"id": "default"}, "password": PASSWORD}
        identity = {"methods": ["password"], "password": {"user": user}}
        auth = {"auth": {"identity": identity, "scope": {"system": {"all": True}}}}
        answer = self.request("POST", "/auth/tokens", json=auth)
        self.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]

    def request(self, method, path, **options):
        answer = super().request(method, KEYSTONE + path, **({"timeout": 60} | options))
        assert answer.ok, answer.text
        return answer


@pytest.fixture(scope="module")
def limits():
    """Sets the limits of all projects; they go when the tests have run."""
    keystone = Keystone()
    service = keystone.get("/services?type=image").json()["services"][0]["id"]
    path = f"/registered_limits?service_id={service}"

    def clear():
        for limit in keystone.get(path).json()["registered_limits"]:
            keystone.delete(f"/registered_limits/{limit['id']}")

    def limits(**wanted):
        clear()
        entries = [
            {
                "service_id": service,
                "region_id": "RegionOne",
                "resource_name": name,
                "default_limit": limit,
            }
            for name, limit in wanted.items()
        ]
        keystone.post("/registered_limits", json={"registered_limits": entries})

    yield limits
    clear()


FREE = {
    "image_size_total": -1,
    "image_stage_total": -1,
    "image_count_total": -1,
    "image_count_uploading": -1,
}


@pytest.fixture
def api(start):
    config = f"""
[DEFAULT]
use_keystone_limits = true
user_storage_quota = 1
[oslo_limit]
auth_url = {KEYSTONE}
auth_type = password
username = admin
password = {PASSWORD}
user_domain_id = default
system_scope = all
endpoint_service_type = image
endpoint_region_name = RegionOne
"""
    return Account(start(config=config)).api()


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
