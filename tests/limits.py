"""A real Keystone's limits, and a service that asks for them: TEST_KEYSTONE_URL and
TEST_KEYSTONE_PASSWORD name that Keystone and its administrator's password."""

import fcntl
import os
import tempfile
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from service import Account

KEYSTONE = os.environ.get("TEST_KEYSTONE_URL")
PASSWORD = os.environ.get("TEST_KEYSTONE_PASSWORD", "")
REGION = "RegionOne"

FREE = {
    "image_size_total": -1,
    "image_stage_total": -1,
    "image_count_total": -1,
    "image_count_uploading": -1,
}

CONFIG = f"""
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
endpoint_region_name = {REGION}
"""


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

    def one(self, kind, **fields):
        """The id of what is so, and whether it was made for that."""
        plural = f"{kind}s"
        found = self.get(f"/{plural}", params=fields).json()[plural]
        if found:
            return found[0]["id"], False
        more = {"name": "glance"} if kind == "service" else {"url": "http://127.0.0.1:9292"}
        return self.post(f"/{plural}", json={kind: fields | more}).json()[kind]["id"], True


@pytest.fixture(scope="module")
def alone():
    """Keystone has one set of limits: tests of another file, which may run beside these, wait."""
    with open(Path(tempfile.gettempdir()) / "tintype-tests-limits", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def limited(alone):
    """Keystone, and the id of the image service in it, which has an endpoint."""
    if not KEYSTONE:
        pytest.skip("TEST_KEYSTONE_URL names no Keystone (tests/services/keystone starts one)")
    keystone = Keystone()
    service, made = keystone.one("service", type="image")
    fields = {"service_id": service, "interface": "public", "region_id": REGION}
    endpoint, placed = keystone.one("endpoint", **fields)
    yield keystone, service
    if placed:
        keystone.delete(f"/endpoints/{endpoint}")
    if made:
        keystone.delete(f"/services/{service}")


@pytest.fixture(scope="module")
def limits(limited):
    """Sets the limits of all projects; they go when the tests have run."""
    keystone, service = limited
    path = f"/registered_limits?service_id={service}"

    def clear():
        for limit in keystone.get(path).json()["registered_limits"]:
            keystone.delete(f"/registered_limits/{limit['id']}")

    def limits(**wanted):
        clear()
        common = {"service_id": service, "region_id": REGION}
        entries = [
            common | {"resource_name": name, "default_limit": limit}
            for name, limit in wanted.items()
        ]
        keystone.post("/registered_limits", json={"registered_limits": entries})

    yield limits
    clear()


@pytest.fixture
def limited_admin(start, limited):
    """The administrator of a service that asks that Keystone for limits."""
    return Account(start(config=CONFIG))
