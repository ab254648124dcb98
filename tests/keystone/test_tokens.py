"""Tokens of a real Keystone: their end, and what happens when nobody can tell."""

import time

import pytest
import requests

from keystone.cloud import at


def refusal(answer):
    return answer.status_code, answer.headers.get("WWW-Authenticate")


def test_without_a_valid_token_the_answer_says_where_to_get_one(images, cloud):
    url, challenge = f"{images.url}/v2/images", f'Keystone uri="{cloud.url}"'
    assert refusal(requests.get(url, timeout=30)) == (401, challenge)
    assert refusal(at(images, "made-up").get("/v2/images")) == (401, challenge)


def test_a_revoked_token_is_refused_once_the_cache_time_is_over(own, cloud, eventually):
    images, token = own(token_cache_time=2), cloud.member.token()
    api = at(images, token)
    assert api.get("/v2/images").status_code == 200
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    revoked = requests.delete(f"{cloud.url}/auth/tokens", headers=headers, timeout=30)
    assert revoked.status_code == 204
    eventually(lambda: api.get("/v2/images").status_code == 401, limit=10)


@pytest.mark.parametrize("what", ["user", "project"])
def test_who_is_disabled_is_refused_once_the_cache_time_is_over(own, cloud, eventually, what):
    images, (account, user, project) = own(token_cache_time=2), cloud.newcomer()
    known, unknown = account.at(images), account.at(images)
    assert known.get("/v2/images").status_code == 200
    match what:
        case "user":
            cloud.sdk.update_user(user, is_enabled=False)
        case "project":
            cloud.sdk.update_project(project, is_enabled=False)
    assert unknown.get("/v2/images").status_code == 401
    eventually(lambda: known.get("/v2/images").status_code == 401, limit=10)


def test_a_keystone_that_does_not_answer_keeps_nobody_waiting(own, cloud, eventually):
    images = own(http_connect_timeout=3)
    known, unknown = cloud.member.at(images), cloud.member.at(images)
    assert known.get("/v2/images").status_code == 200
    cloud.door.passes.clear()
    try:
        began = time.monotonic()
        answer = unknown.get("/v2/images")
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
        assert known.get("/v2/images").status_code == 200
        assert time.monotonic() - began < 20
    finally:
        cloud.door.passes.set()
    eventually(lambda: unknown.get("/v2/images").status_code == 200)


def test_when_keystone_is_away_only_what_is_known_works(own, cloud, eventually):
    images = own()
    known, unknown = cloud.member.at(images), cloud.member.at(images)
    assert known.get("/v2/images").status_code == 200
    cloud.door.shut()
    try:
        for _ in range(3):
            answer = unknown.get("/v2/images")
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert known.get("/v2/images").status_code == 200
    finally:
        cloud.door.open()
    eventually(lambda: unknown.get("/v2/images").status_code == 200)


def test_wrong_credentials_of_the_service_are_told_in_the_log_and_nowhere_else(
    own, cloud, eventually
):
    images = own(password="not-this-one")
    answer = cloud.member.at(images).get("/v2/images")
    assert answer.status_code == 503
    eventually(lambda: "refuses the credentials of" in "".join(images.log))
    assert "not-this-one" not in "".join(images.log)
    assert cloud.glance.auth["username"] not in answer.text


def test_a_service_is_known_by_its_own_token(own, cloud, tmp_path):
    (tmp_path / "policy.yaml").write_text("get_images: service_roles:service\n")
    images = own()
    user, service = cloud.member.token(), cloud.glance.token()
    statuses = {
        name: at(images, user, **headers).get("/v2/images").status_code
        for name, headers in {
            "alone": {},
            "with a service": {"X-Service-Token": service},
            "with a user": {"X-Service-Token": cloud.other.token()},
            "with nonsense": {"X-Service-Token": "made-up"},
        }.items()
    }
    refused = ["alone", "with a user", "with nonsense"]
    assert statuses == dict.fromkeys(refused, 403) | {"with a service": 200}


def test_an_application_credential_for_certain_requests_is_good_for_no_other(own, cloud):
    rules = [{"service": "image", "method": "GET", "path": "/v2/images"}]
    credential = cloud.credential(cloud.member, access_rules=rules)
    api = at(own(service_type="image"), cloud.token_of(credential))
    assert api.get("/v2/images").status_code == 200
    assert api.post("/v2/images", json={}).status_code == 401
    assert api.get(f"/v2/images/{credential.id}").status_code == 401


@pytest.mark.parametrize("unrestricted", [False, True], ids=["restricted", "unrestricted"])
def test_an_application_credential_may_what_the_roles_of_it_allow(images, cloud, unrestricted):
    fields = {"roles": [{"name": "reader"}], "unrestricted": unrestricted}
    api = at(images, cloud.token_of(cloud.credential(cloud.member, **fields)))
    assert api.get("/v2/images").status_code == 200
    assert api.post("/v2/images", json={}).status_code == 403
