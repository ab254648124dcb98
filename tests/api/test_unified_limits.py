"""Limits that Keystone holds (`use_keystone_limits`), with a real Keystone where there is one."""

import pytest

from importing import configuration, ended, files, import_image, stage
from limits import CONFIG, FREE
from listener import Listener
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


@pytest.fixture
def importing(start, limited, tmp_path, web):
    """A session of a service that imports, and asks Keystone for limits."""
    default, more = CONFIG.removeprefix("\n[DEFAULT]\n").split("[oslo_limit]")
    config = configuration(tmp_path, web, default=default, more=f"[oslo_limit]{more}")
    return Account(start(config=config)).api()


def test_staged_bytes_are_limited(importing, limits, tmp_path):
    limits(**FREE | {"image_stage_total": 1})
    first, second = importing.create(), importing.create()
    refused = stage(importing, first, bytes(2 * MIB))
    assert refused.status_code == 413
    assert over("image_stage_total", 1, 0, 2) in refused.text
    assert importing.status(first) == "queued" and files(tmp_path, "staging") == []
    assert stage(importing, first, bytes(MIB)).status_code == 204
    refused = stage(importing, second, bytes(MIB))
    assert refused.status_code == 413
    assert over("image_stage_total", 1, 1, 1) in refused.text
    assert importing.status(second) == "queued" and files(tmp_path, "staging") == [first]


def test_what_is_staged_is_limited_once_it_is_imported(importing, limits, tmp_path, eventually):
    limits(**FREE | {"image_size_total": 1})
    image = importing.create()
    assert stage(importing, image, bytes(2 * MIB)).status_code == 204
    assert import_image(importing, image, "glance-direct").status_code == 202
    task = eventually(lambda: ended(importing, image))
    assert task["status"] == "failure"
    assert over("image_size_total", 1, 0, 2) in task["message"]
    assert importing.status(image) == "queued"
    assert files(tmp_path, "fast") == files(tmp_path, "staging") == []


@pytest.mark.parametrize(
    "resource, usage, delta", [("image_stage_total", 2, 2), ("image_count_uploading", 1, 0)]
)
def test_copies_are_limited(importing, limits, tmp_path, eventually, resource, usage, delta):
    """What is being copied counts as staged, and as one that is uploading."""
    limits(**FREE)
    image = importing.create()
    assert importing.upload(image, bytes(2 * MIB)).status_code == 204
    limits(**FREE | {resource: 0})
    # The service remembers limits for a while.
    told = lambda: importing.get("/v2/info/usage").json()["usage"][resource]["limit"]
    eventually(lambda: told() == 0)
    assert import_image(importing, image, "copy-image", stores=["slow"]).status_code == 202
    task = eventually(lambda: ended(importing, image))
    assert task["status"] == "failure"
    assert over(resource, 0, usage, delta) in task["message"]
    assert importing.status(image) == "active" and files(tmp_path, "slow") == []


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


@pytest.mark.parametrize(
    "options, is_asked",
    [("", False), ("cafile = {ca}", True), ("cafile = {other}", False), ("insecure = true", True)],
)
def test_a_keystone_with_tls_is_believed_as_options_say(start, authorities, options, is_asked):
    ca, other, certificate = authorities
    listener = Listener(certificate)
    config = f"""
[DEFAULT]
use_keystone_limits = true
[oslo_limit]
auth_url = https://127.0.0.1:{listener.port}
user_id = glance
password = secret
endpoint_id = x
{options.format(ca=ca.certificate, other=other.certificate)}
"""
    answer = Account(start(config=config)).api().post("/v2/images", json={})
    assert answer.status_code == 503
    assert listener.heard[0].startswith(b"POST /v3/auth/tokens") == is_asked
