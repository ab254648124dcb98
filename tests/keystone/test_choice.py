"""Who says who calls, as the configuration and the command line choose. Needs no Keystone."""

import pytest
import requests

from service import Account, DidNotStart


@pytest.fixture
def serve(start, tmp_path):
    def serve(config, *arguments, **options):
        path = tmp_path / "glance-api.conf"
        path.write_text(config)
        return start(arguments=["--config-file", path, *arguments], **options)

    return serve


def status(service, method="get"):
    return requests.request(method, f"{service.url}/v2/images", json={}, timeout=30).status_code


def test_a_flavor_without_keystone_asks_nobody(serve, tmp_path):
    cache = f"[DEFAULT]\nimage_cache_dir = {tmp_path / 'cache'}\nimage_cache_driver = sqlite\n"
    service = serve(f"{cache}[paste_deploy]\nflavor = cachemanagement\n")
    assert status(service) == 200 and status(service, "post") == 201


def test_nobody_is_asked_only_where_nobody_else_comes_unless_that_is_wanted(serve):
    config = "[paste_deploy]\nflavor =\n"
    with pytest.raises(DidNotStart, match="say --identity none if that is what you want"):
        serve(config, listen="0.0.0.0:0")
    service = serve(config, "--identity", "none", listen="0.0.0.0:0")
    assert "may do anything" in "".join(service.log)
    assert status(service) == 200


def test_keystone_is_named_when_nothing_says_where_it_is(serve):
    with pytest.raises(DidNotStart, match=r"sets auth_url in \[keystone_authtoken\]"):
        serve("[paste_deploy]\nflavor = keystone\n")


def test_without_a_flavor_no_door_is_open(serve):
    service = serve("[DEFAULT]\n")
    assert status(service) == 401
    assert Account(service).api().get("/v2/images").status_code == 200


def test_the_command_line_wins(serve):
    service = serve("[paste_deploy]\nflavor = keystone\n", "--identity", "built-in")
    assert Account(service).api().get("/v2/images").status_code == 200


def test_a_keystone_that_is_away_opens_no_door(serve):
    service = serve(
        "[keystone_authtoken]\nauth_url = http://127.0.0.1:9\nuser_id = u\npassword = p\n"
        "http_request_max_retries = 0\n"
    )
    headers = {"X-Auth-Token": "any"}
    answer = requests.get(f"{service.url}/v2/images", headers=headers, timeout=30)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_callers_without_a_token_read_what_the_policy_shows_them(serve, tmp_path):
    (tmp_path / "policy.yaml").write_text('"get_images": ""\n"add_image": ""\n')
    config = "[keystone_authtoken]\nauth_url = http://127.0.0.1:9\nuser_id = u\npassword = p\n"
    service = serve(f"[DEFAULT]\nallow_anonymous_access = true\n{config}")
    assert status(service) == 200
    assert status(service, "post") == 403
