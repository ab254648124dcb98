"""What stands in front of every route: request ids, health, proxies, and pages of other origins."""

import socket

import pytest
import requests

from process import DidNotStart
from service import Account, Api

ORIGIN = "http://dashboard.example:8080"


@pytest.fixture
def options(start):
    """Starts a service with options and returns its URL and a session."""

    def options(config):
        service = start(config=config)
        return service.url, Account(service).api()

    return options


@pytest.mark.parametrize("chosen, id", [("req-one", "req-one"), ("one", "req-one")])
def test_a_caller_chooses_the_id_of_its_request(service, api, eventually, chosen, id):
    answer = api.get("/v2/images?limit=0", headers={"X-Openstack-Request-Id": chosen})
    assert answer.headers["X-Openstack-Request-Id"] == id
    eventually(lambda: any(id in line for line in service.log))


def test_every_other_request_gets_an_id_of_its_own(api):
    answers = [api.get("/v2/images?limit=0") for _ in range(2)]
    first, second = (answer.headers["X-Openstack-Request-Id"] for answer in answers)
    assert first.startswith("req-") and first != second


def test_an_id_that_is_too_long_is_refused(api):
    answer = api.get("/v2/images", headers={"X-Openstack-Request-Id": "x" * 65})
    assert answer.status_code == 431
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")


def test_health_is_told_in_the_form_that_is_asked_for(service):
    def health(method="GET", accept="*/*"):
        headers = {"Accept": accept}
        answer = requests.request(method, f"{service.url}/healthcheck", headers=headers, timeout=30)
        return answer.status_code, answer.headers.get("Content-Type"), answer.text

    assert health() == (200, "text/plain; charset=UTF-8", "OK")
    assert health(accept="image/png")[2] == "OK"
    assert health("HEAD")[0] == 204
    code, kind, text = health(accept="application/json")
    assert (code, kind) == (200, "application/json")
    assert text == '{\n  "detailed": false,\n  "reasons": [\n    "OK"\n  ]\n}'
    assert "<TD>OK</TD>" in health(accept="text/html")[2]


def test_a_file_takes_the_service_out(options, tmp_path):
    file = tmp_path / "down"
    url, _ = options(f"[healthcheck]\ndisable_by_file_path = {file}\ndetailed = true\n")
    check = f"{url}/healthcheck"
    assert requests.get(check, timeout=30).status_code == 200
    file.touch()
    down = requests.get(check, timeout=30)
    assert (down.status_code, down.text) == (503, "DISABLED BY FILE")
    assert requests.head(check, timeout=30).status_code == 503
    told = requests.get(check, headers={"Accept": "application/json"}, timeout=30).json()
    reason = {"class": "DisableByFile", "details": "", "reason": "DISABLED BY FILE"}
    assert told == {"detailed": True, "reasons": [reason]}
    file.unlink()
    assert requests.get(check, timeout=30).text == "OK"


def test_files_take_a_service_out_by_the_checks_that_are_named(options, tmp_path):
    """Of files for ports, those for the port that the service is configured for count."""
    down, ours, theirs, up = (tmp_path / name for name in ("down", "ours", "theirs", "up"))
    url, _ = options(
        f"[healthcheck]\nbackends = disable_by_file, disable_by_files_ports, enable_by_files\n"
        f"disable_by_file_path = {down}\nenable_by_file_paths = {up}\n"
        f"disable_by_file_paths = 9292:{ours},9293:{theirs}\n"
    )
    told = lambda: requests.get(f"{url}/healthcheck", timeout=30).status_code
    assert told() == 503
    up.touch()
    assert told() == 200
    for file, status in [(down, 503), (ours, 503), (theirs, 200)]:
        file.touch()
        assert told() == status, file
        file.unlink()


def test_only_checks_that_are_named_are_made(options, tmp_path):
    down = tmp_path / "down"
    down.touch()
    url, _ = options(
        f"[healthcheck]\nbackends =\ndisable_by_file_path = {down}\n"
        f"disable_by_file_paths = 9292:{down}\nenable_by_file_paths = {tmp_path}/up\n"
    )
    assert requests.get(f"{url}/healthcheck", timeout=30).status_code == 200


def test_a_service_listens_where_options_say(start, tmp_path):
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    config = f"[DEFAULT]\nbind_host = 127.0.0.2\nbind_port = {port}\n"
    service = start(listen=None, config=config)
    assert service.url == f"http://127.0.0.2:{port}"
    assert requests.get(f"{service.url}/healthcheck", timeout=30).text == "OK"
    # The command line wins.
    assert start(tmp_path / "other", config=config).url.startswith("http://127.0.0.1:")


def test_a_host_without_an_address_stops_the_start(start):
    with pytest.raises(DidNotStart, match="bind_host = nowhere.invalid"):
        start(listen=None, config="[DEFAULT]\nbind_host = nowhere.invalid\n")


PROXIED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "cloud.example",
    "X-Forwarded-Prefix": "/image",
}


def self_link(url, headers):
    answer = requests.get(f"{url}/versions", headers=headers, timeout=30).json()
    return answer["versions"][0]["links"][0]["href"]


def test_a_proxy_is_believed_where_there_is_one(options):
    url, api = options("[oslo_middleware]\nenable_proxy_headers_parsing = true\n")
    assert self_link(url, PROXIED) == "https://cloud.example/image/v2/"
    forwarded = {"Forwarded": "for=192.0.2.1;proto=https;host=f.example, for=192.0.2.2"}
    assert self_link(url, forwarded) == "https://f.example/v2/"
    assert self_link(url, {}) == f"{url}/v2/"
    created = api.post("/v2/images", json={}, headers=PROXIED)
    assert created.headers["Location"].startswith("https://cloud.example/image/v2/images/")


def test_a_proxy_is_not_believed_elsewhere(service):
    assert self_link(service.url, PROXIED) == f"{service.url}/v2/"


def test_the_public_endpoint_of_the_command_line_is_what_clients_are_told(start):
    public = "http://images.example:8080/cloud"
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    configured = "[DEFAULT]\npublic_endpoint = http://other.example\n"
    arguments = ["--public-endpoint", f"{public}/"]
    service = start(listen=address, config=configured, arguments=arguments)
    assert service.url == public
    assert service.credentials["auth_url"] == f"{public}/identity/v3"
    account = Account(service)
    account.auth["auth_url"] = f"http://{address}/identity/v3"
    assert self_link(f"http://{address}", {}) == f"{public}/v2/"
    api = Api(f"http://{address}", account.token())
    created = api.post("/v2/images", json={})
    assert created.headers["Location"] == f"{public}/v2/images/{created.json()['id']}"
    services = requests.get(
        f"http://{address}/identity/v3/auth/catalog", headers=api.headers, timeout=30
    ).json()["catalog"]
    urls = {endpoint["url"] for service in services for endpoint in service["endpoints"]}
    assert urls == {public, f"{public}/identity/v3"}


@pytest.fixture
def shared(options):
    return options(f"[cors]\nallowed_origin = {ORIGIN},http://other.example\nmax_age = 7\n")


def preflight(url, origin, method, headers=None):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    answer = requests.options(f"{url}/v2/images", headers=asked, timeout=30)
    assert (answer.status_code, answer.content) == (200, b"")
    names = [name for name in answer.headers if name.lower().startswith("access-control")]
    return {name.lower(): answer.headers[name] for name in names}


def test_a_page_of_an_allowed_origin_may_ask(shared):
    url, api = shared
    assert preflight(url, ORIGIN, "PATCH", "X-Auth-Token, content-type") == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-credentials": "true",
        "access-control-max-age": "7",
        "access-control-allow-methods": "PATCH",
        "access-control-allow-headers": "X-Auth-Token,content-type",
    }
    answer = api.get("/v2/images", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-OpenStack-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"


def test_a_failure_can_be_read_by_the_page_too(shared):
    _, api = shared
    answer = api.get("/v2/images/nonsense", headers={"Origin": ORIGIN})
    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    "origin, method, headers",
    [
        ("http://evil.example", "GET", None),
        (ORIGIN, "TRACE", None),
        (ORIGIN, "GET", "X-Evil"),
    ],
)
def test_what_is_not_allowed_is_not_told(shared, origin, method, headers):
    url, _ = shared
    assert preflight(url, origin, method, headers) == {}


def test_what_a_page_may_do_is_as_the_operator_says(options):
    url, api = options(
        f"[cors]\nallowed_origin = {ORIGIN}\nallow_credentials = false\nexpose_headers = X-One,X-Two\n"
        "allow_methods = GET,TRACE\nallow_headers = X-Three\n"
    )
    allowed = preflight(url, ORIGIN, "TRACE", "X-Three")
    assert "access-control-allow-credentials" not in allowed
    assert allowed["access-control-allow-headers"] == "X-Three"
    assert preflight(url, ORIGIN, "PATCH") == preflight(url, ORIGIN, "GET", "X-Auth-Token") == {}
    answer = api.get("/v2/images", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Expose-Headers"] == "X-One,X-Two"


def test_without_the_option_no_page_may_ask(service, api):
    assert preflight(service.url, ORIGIN, "GET") == {}
    answer = api.get("/v2/images", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/v2/images", "/identity/v3/projects"])
def test_a_challenge_names_where_tokens_are_to_be_had(service, path):
    refused = requests.get(service.url + path, timeout=30)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == f'Keystone uri="{service.url}/identity"'
