"""Locations that clients name: by patches, and by the locations interface."""

import hashlib
import subprocess
import threading

import pytest

from importing import configuration, import_image
from service import Account
from several_stores import Files, SeveralStores

CONTENT = b"hello world"
SHA512 = hashlib.sha512(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
DIGESTS = {"os_hash_algo": "sha512", "os_hash_value": SHA512, "checksum": MD5}


@pytest.fixture(scope="module")
def url(several):
    return several.files.add(CONTENT)


@pytest.fixture
def image(several):
    return several.api.create()


def remove(several, image, place, api=None):
    operation = {"op": "remove", "path": f"/locations/{place}"}
    return (api or several.api).change(image, [operation])


def replace(several, image, value):
    return several.api.change(image, [{"op": "replace", "path": "/locations", "value": value}])


def test_a_queued_image_becomes_active_at_its_first_location(several, image, url):
    metadata = {"mountpoint": "/srv", "store": "slow"}
    answer = several.link(image, url, metadata=metadata, validation_data=DIGESTS)
    assert answer.status_code == 200, answer.text
    shown = several.api.show(image)
    assert (shown["status"], shown["size"]) == ("active", len(CONTENT))
    assert (shown["checksum"], shown["os_hash_value"]) == (MD5, SHA512)
    # The store is the one that the URL is of, whatever the client called it.
    assert shown["locations"] == [{"url": url, "metadata": metadata | {"store": "web"}}]
    download = several.api.get(f"/v2/images/{image}/file")
    assert (download.content, download.headers["Content-MD5"]) == (CONTENT, MD5)
    part = several.api.get(f"/v2/images/{image}/file", headers={"Range": "bytes=6-"})
    assert (part.status_code, part.content) == (206, b"world")


def test_digests_need_not_be_told(several, image, url):
    assert several.link(image, url).status_code == 200
    shown = several.api.show(image)
    assert (shown["status"], shown["checksum"], shown["os_hash_value"]) == ("active", None, None)


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "file://{root}/fast/{image}",
        "filesystem:///etc/passwd",
        "FILE:///etc/passwd",
        "s3://key:secret@host/bucket/key",
        "swift+config://a/b",
        "http://127.0.0.2/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://169.254.169.254/latest/meta-data",
        "http://0x7f000001/x",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1:{port}/nothing",
        "ftp://127.0.0.1/x",
        "/etc/passwd",
        "",
    ],
)
def test_locations_that_users_may_not_name_are_refused(several, image, location):
    location = location.format(root=several.root, image=image, port=several.files.port)
    asked = len(several.files.asked)
    answer = several.link(image, location)
    assert answer.status_code == 400, answer.text
    assert several.api.show(image)["locations"] == []
    others = [path for _, path in several.files.asked[asked:] if path != "/nothing"]
    assert not others


@pytest.mark.parametrize("scheme, rest", [("s3+https", "s3.example/b/k"), ("swift", "auth/c/o")])
def test_secrets_of_a_location_that_is_refused_are_not_told(several, image, scheme, rest):
    refused = several.link(image, f"{scheme}://its-key:its-secret@{rest}")
    url = "http://its-key:its-secret@127.0.0.2/x"
    attached = several.api.post(f"/v2/images/{image}/locations", json={"url": url})
    assert (refused.status_code, attached.status_code) == (400, 400)
    told = [refused.text, attached.text, *several.service.log]
    assert not [text for text in told if "its-secret" in text]


def test_empty_bytes_are_no_location(several, image):
    assert several.link(image, several.files.add(b"")).status_code == 400


@pytest.mark.parametrize(
    "path, value, status",
    [
        ("/locations", {}, 400),
        ("/locations/x", {}, 400),
        ("/locations/-/url", {}, 400),
        ("/locations/-", {"url": None}, 400),
        ("/locations/-", {"metadata": None}, 400),
        ("/locations/-", {"metadata": {"a": 1}}, 400),
        ("/locations/-", {"validation_data": {"os_hash_algo": "sha512"}}, 400),
        ("/locations/-", {"validation_data": DIGESTS | {"size": "1"}}, 400),
        ("/locations/-", {"validation_data": DIGESTS | {"checksum": "0"}}, 400),
        ("/locations/-", {"validation_data": DIGESTS | {"checksum": "z" * 32}}, 409),
        ("/locations/-", {"validation_data": DIGESTS | {"os_hash_algo": "md5"}}, 409),
        ("/locations/-", {"validation_data": DIGESTS | {"os_hash_value": "ab"}}, 409),
        ("/locations/-", {"validation_data": DIGESTS | {"os_hash_value": "zz"}}, 409),
    ],
)
def test_what_is_no_location_is_refused(several, image, url, path, value, status):
    value = {"url": url, "metadata": {}} | value
    value = {name: part for name, part in value.items() if part is not None}
    answer = several.api.change(image, [{"op": "add", "path": path, "value": value}])
    assert answer.status_code == status, answer.text
    assert several.api.status(image) == "queued"


def test_locations_come_and_go(several, image):
    first, second = several.files.add(CONTENT), several.files.add(CONTENT)
    assert several.link(image, first).status_code == 200
    assert several.link(image, first).status_code == 400, "twice"
    assert remove(several, image, 0).status_code == 403, "the last one"
    assert several.link(image, second).status_code == 200
    for place in ["2", "x", "-1"]:
        assert remove(several, image, place).status_code == 400
    assert remove(several, image, 0, several.member()).status_code == 403
    assert remove(several, image, 0).status_code == 200
    assert [place["url"] for place in several.api.show(image)["locations"]] == [second]
    assert several.api.get(f"/v2/images/{image}/file").content == CONTENT


def test_a_removed_location_loses_its_bytes(several):
    image = several.image(b"slow", "slow")
    several.link(image, several.files.add(b"web!"))
    assert [place["metadata"]["store"] for place in several.api.show(image)["locations"]] == [
        "web",
        "slow",
    ]
    assert remove(several, image, "-").status_code == 200
    assert not (several.root / "slow" / image).exists()
    assert several.api.show(image)["stores"] == "web"


def test_all_locations_are_set_only_where_there_are_none(several, image):
    first, second = several.files.add(CONTENT), several.files.add(CONTENT)
    places = [{"url": place, "metadata": {}} for place in (first, second)]
    assert replace(several, image, []).status_code == 403
    assert replace(several, image, {"url": first}).status_code == 400
    assert replace(several, image, [places[0], places[0]]).status_code == 400
    assert replace(several, image, places).status_code == 200
    assert several.api.show(image)["stores"] == "web,web"
    assert replace(several, image, places[:1]).status_code == 400
    described = [{"url": first, "metadata": {"note": "a"}}, {"url": second, "metadata": {}}]
    assert replace(several, image, described).status_code == 200
    metadata = {place["url"]: place["metadata"] for place in several.api.show(image)["locations"]}
    assert metadata == {first: {"store": "web", "note": "a"}, second: {"store": "web"}}


def test_digests_of_an_active_image_stay(several, image, url):
    several.link(image, url, validation_data=DIGESTS)
    again = several.files.add(CONTENT)
    other = DIGESTS | {"os_hash_value": "0" * 128}
    assert several.link(image, again, validation_data=other).status_code == 409
    assert several.link(image, again, validation_data=DIGESTS).status_code == 200


def test_the_state_of_an_image_decides(several, image, url):
    assert remove(several, image, 0).status_code == 409, "queued"
    several.link(image, url)
    several.api.post(f"/v2/images/{image}/actions/deactivate")
    assert several.link(image, several.files.add(CONTENT)).status_code == 409
    assert remove(several, image, 0).status_code == 409


def test_locations_have_a_quota(several, image):
    answers = [several.link(image, several.files.add(CONTENT)) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [413]


def test_a_patch_is_done_whole_or_not_at_all(several, image, url):
    operations = [
        {"op": "add", "path": "/os_distro", "value": "debian"},
        {"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}}},
        {"op": "add", "path": "/locations/-", "value": {"url": "file:///x", "metadata": {}}},
    ]
    assert several.api.change(image, operations).status_code == 400
    shown = several.api.show(image)
    assert (shown["status"], "os_distro" in shown) == ("queued", False)
    assert several.api.change(image, operations[:2]).status_code == 200
    shown = several.api.show(image)
    assert (shown["status"], shown["os_distro"]) == ("active", "debian")


def test_a_closed_image_hides_where_it_is(several, image, url):
    several.link(image, url)
    several.api.post(f"/v2/images/{image}/actions/deactivate")
    shown = several.member().show(image)
    assert shown["locations"] == []
    assert not {"stores", "direct_url"} & shown.keys()
    assert several.api.show(image)["direct_url"] == url


def test_where_locations_are_not_shown_they_are_not_changed(service, api):
    image = api.create()
    value = {"url": "http://x/y", "metadata": {}}
    for operation in [
        {"op": "add", "path": "/locations/-", "value": value},
        {"op": "replace", "path": "/locations", "value": [value]},
        {"op": "remove", "path": "/locations/0"},
    ]:
        answer = api.change(image, [operation])
        assert answer.status_code == 403
        assert "locations are invisible" in answer.text
    assert not {"locations", "direct_url"} & api.show(image).keys()


@pytest.mark.parametrize("field", ["locations", "direct_url", "stores"])
def test_an_image_is_not_created_somewhere(several, field):
    answer = several.api.post("/v2/images", json={"name": "x", field: "fast"})
    assert answer.status_code == 403


def attach(several, image, url, api=None, **claims):
    body = {"url": url} | ({"validation_data": claims} if claims else {})
    return (api or several.api).post(f"/v2/images/{image}/locations", json=body)


def ended(several, image):
    """The task of an image, once nothing follows."""
    (task,) = several.api.get(f"/v2/images/{image}/tasks").json()["tasks"]
    return task if task["status"] in ("success", "failure") else None


def test_attached_bytes_are_digested_in_the_background(several, image, url, eventually):
    member = several.member()
    assert attach(several, image, url, member).status_code == 202
    eventually(lambda: several.api.show(image)["os_hash_value"])
    shown = several.api.show(image)
    assert (shown["status"], shown["size"]) == ("active", len(CONTENT))
    assert (shown["checksum"], shown["os_hash_algo"]) == (MD5, "sha512")
    assert shown["os_hash_value"] == SHA512
    places = [{"url": url, "metadata": {"store": "web"}}]
    assert several.api.get(f"/v2/images/{image}/locations").json() == places
    assert member.get(f"/v2/images/{image}/locations").status_code == 403
    assert attach(several, image, url).status_code == 409


@pytest.mark.parametrize(
    "algorithm, digest",
    [("sha512", SHA512), ("md5", MD5), ("sha256", hashlib.sha256(CONTENT).hexdigest())],
)
def test_attached_bytes_are_what_they_are_claimed_to_be(
    several, image, url, eventually, algorithm, digest
):
    answer = attach(several, image, url, os_hash_algo=algorithm, os_hash_value=digest)
    assert answer.status_code == 202
    eventually(lambda: several.api.status(image) == "active")
    shown = several.api.show(image)
    assert (shown["os_hash_algo"], shown["os_hash_value"]) == (algorithm, digest)
    assert shown["checksum"] == MD5


def test_bytes_that_are_something_else_are_not_attached(several, image, eventually):
    wrong = several.files.add(b"something else")
    path = several.files.path(wrong)
    attach(several, image, wrong, os_hash_algo="sha512", os_hash_value=SHA512)
    task = eventually(lambda: ended(several, image))
    assert task["status"] == "failure" and "not matched" in task["message"]
    assert ("GET", path) in several.files.asked
    shown = several.api.show(image)
    assert (shown["status"], shown["os_hash_value"], shown["size"]) == ("queued", None, None)
    assert [place["url"] for place in shown["locations"]] == [wrong]
    assert several.api.upload(image, b"x").status_code == 204
    assert wrong not in str(several.api.show(image)["locations"])
    assert several.api.get(f"/v2/images/{image}/file").content == b"x"


def test_while_bytes_are_attached_nothing_else_brings_any(start, tmp_path, web, eventually):
    text = configuration(tmp_path, web).replace("slow:file", "slow:file, web:http")
    api = Account(start(config=text + "[web]\nhttps_insecure = false\n")).api()
    gate, image = threading.Event(), api.create()
    url = web.serve("/gated", CONTENT, gate)
    locations = f"/v2/images/{image}/locations"
    try:
        claims = {"os_hash_algo": "sha512", "os_hash_value": SHA512}
        body = {"url": url, "validation_data": claims}
        assert api.post(locations, json=body).status_code == 202
        (task,) = api.get(f"/v2/images/{image}/tasks").json()["tasks"]
        assert api.show(image)["os_glance_import_task"] == task["id"]
        eventually(lambda: api.status(image) == "saving")
        assert api.post(locations, json=body).status_code == 409
        assert import_image(api, image, "web-download", uri=url).status_code == 409
        assert api.upload(image, b"x").status_code == 409
    finally:
        gate.set()
    eventually(lambda: "os_glance_import_task" not in api.show(image))
    shown = api.show(image)
    assert (shown["status"], shown["os_hash_value"]) == ("active", SHA512)


def test_an_attachment_is_a_task_of_its_image(several, image, url, eventually):
    attach(several, image, url)
    task = eventually(lambda: ended(several, image))
    assert (task["type"], task["status"], task["message"]) == ("location_import", "success", "")
    assert (task["result"], task["input"]["loc_url"]) == ({"image_id": image}, url)
    assert several.api.show(image)["os_hash_value"] == SHA512
    assert len(several.api.get(f"/v2/images/{image}/tasks").json()["tasks"]) == 1


@pytest.mark.parametrize(
    "body, status",
    [
        ({}, 400),
        ([], 400),
        ({"url": 5}, 400),
        ({"url": "file:///etc/passwd"}, 403),
        ({"url": "s3://host/bucket/key"}, 403),
        ({"url": ""}, 403),
        ({"url": "http://127.0.0.2/x"}, 400),
        ({"url": "http://127.0.0.1:1/x"}, 400),
        ({"url": "URL", "validation_data": {"os_hash_algo": "sha512"}}, 400),
        ({"url": "URL", "validation_data": {"os_hash_value": "ab"}}, 400),
        ({"url": "URL", "validation_data": {"os_hash_algo": "md4", "os_hash_value": "ab"}}, 400),
        ({"url": "URL", "validation_data": {"os_hash_algo": "md5", "os_hash_value": "ab"}}, 400),
        ({"url": "URL", "validation_data": {"os_hash_algo": "md5", "os_hash_value": "zz"}}, 400),
        ({"url": "URL", "validation_data": {"checksum": MD5}}, 400),
    ],
)
def test_what_can_not_be_attached_is_refused(several, image, url, body, status):
    if isinstance(body, dict) and body.get("url") == "URL":
        body = body | {"url": url}
    answer = several.api.post(f"/v2/images/{image}/locations", json=body)
    assert answer.status_code == status, answer.text
    assert several.api.status(image) == "queued"


def test_attaching_nothing_leaves_the_image_queued(several, image, eventually):
    nothing = f"http://127.0.0.1:{several.files.port}/{image}"
    assert attach(several, image, nothing).status_code == 202
    assert eventually(lambda: ended(several, image))["message"].endswith("Invalid location.")
    assert several.api.show(image)["locations"] == []


@pytest.mark.parametrize(
    "options, times", [("", 3), ("http_retries = 2", 2), ("http_retries = 0", 1)]
)
def test_bytes_are_read_again_as_often_as_options_say(start, tmp_path, eventually, options, times):
    several = SeveralStores(start, tmp_path, DEFAULT=options)
    image, broken = several.api.create(), several.files.add(CONTENT)
    several.files.break_off(broken)
    attach(several, image, broken)
    assert eventually(lambda: ended(several, image))["status"] == "failure"
    assert several.files.asked.count(("GET", several.files.path(broken))) == times
    several.close()


def test_attached_bytes_are_not_read_where_options_spare_that(start, tmp_path, eventually):
    several = SeveralStores(start, tmp_path, DEFAULT="do_secure_hash = false")
    image, url = several.api.create(), several.files.add(CONTENT)
    assert attach(several, image, url).status_code == 202
    assert eventually(lambda: ended(several, image))["status"] == "success"
    shown = several.api.show(image)
    assert (shown["status"], shown["size"]) == ("active", len(CONTENT))
    assert (shown["checksum"], shown["os_hash_value"]) == (None, None)
    assert ("GET", several.files.path(url)) not in several.files.asked
    several.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that its owner signed, and the key."""
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    command = [
        *["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
        *["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        *["-keyout", path, "-out", path.with_suffix(".crt")],
    ]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.mark.parametrize(
    "options, status",
    [
        ("", 200),
        ("https_insecure = false", 400),
        ("https_ca_certificates_file = {authorities}", 200),
    ],
)
def test_who_is_believed_is_configured(start, tmp_path, certificate, options, status):
    options = options.format(authorities=certificate.with_suffix(".crt"))
    several = SeveralStores(start, tmp_path, files=Files(certificate), web=options)
    image = several.api.create()
    answer = several.link(image, several.files.add(CONTENT))
    assert answer.status_code == status, answer.text
    if status == 200:
        assert several.api.get(f"/v2/images/{image}/file").content == CONTENT
    several.close()
