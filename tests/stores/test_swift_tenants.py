"""Images in the accounts of users (`swift_store_multi_tenant`), at a real Swift with a real Keystone:
one service, and beside a real Glance."""

import os
import random
import socket

import pytest
import requests

from api.test_scrub import scrub
from importing import ended, import_image, stage
from keystone.cloud import at
from service import Service, unique
from stores.tenants import DEFAULT, LARGE, PART, Tenants, TenantsCloud, layout

SMALL = 100_000
LARGEST = LARGE + PART + 12_345

pytestmark = pytest.mark.skipif(
    not os.environ.get("TEST_SWIFT_KEYSTONE"), reason="TEST_SWIFT_KEYSTONE is not set"
)


def bytes_of(size):
    return random.Random(size).randbytes(size)


def in_pieces(data):
    return (data[at : at + 1_000_000] for at in range(0, len(data), 1_000_000))


@pytest.fixture(scope="module")
def tenants(keystone):
    return Tenants(keystone)


@pytest.fixture(scope="module")
def service(tenants, web, tmp_path_factory):
    """In no line of its log is a token."""
    folder = tmp_path_factory.mktemp("tenants")
    more = tenants.sections(folder, web.port)
    default = f"{DEFAULT}debug = true\n"
    config = tenants.keystone.config(folder / "glance-api.conf", default=default, more=more)
    arguments = ["--config-file", config, "--log", "debug"]
    service = Service(folder / "state", arguments=arguments)
    service.tokens = {who: account.token() for who, account in tenants.people.items()}
    yield service
    assert service.stop() == 0, "".join(service.log)
    log = "".join(service.log)
    assert not [who for who, token in service.tokens.items() if token in log]


@pytest.fixture(scope="module")
def apis(service, tenants):
    """Sessions of the people."""
    return {who: at(service, token) for who, token in service.tokens.items()}


@pytest.fixture
def member(apis):
    return apis["member"]


@pytest.fixture
def other(apis):
    return apis["other"]


def stored(api, data, **fields):
    image = api.create(**fields)
    answer = api.upload(image, data)
    assert answer.status_code == 204, answer.text
    return image


def read(api, image):
    answer = api.get(f"/v2/images/{image}/file")
    assert answer.status_code == 200, answer.text
    return answer.content


def from_swift(tenants, token, image, owner="member"):
    """The status of a direct download from Swift."""
    url = f"{tenants.account(owner)}/{tenants.container_of(image)}/{image}"
    return requests.get(url, headers={"X-Auth-Token": token}, timeout=60).status_code


@pytest.mark.parametrize("length", ["known", "unknown"])
@pytest.mark.parametrize("size", [0, SMALL, LARGE - 1, LARGEST])
def test_images_are_in_their_owners_account(tenants, member, size, length):
    data = bytes_of(size)
    image = stored(member, data if length == "known" else in_pieces(data))
    segmented = size >= LARGE or length == "unknown"
    assert tenants.held(image) == layout(image, size, segmented)
    [location] = member.show(image)["locations"]
    place = f"{tenants.account('member')}/{tenants.container_of(image)}/{image}"
    assert location["url"] == f"swift+{place}"
    assert tenants.access(image) == ("", f"{tenants.admins}:*")
    assert read(member, image) == data
    assert member.delete(f"/v2/images/{image}").status_code == 204
    assert tenants.held(image) is None


def test_a_range_is_read(member):
    data = bytes_of(LARGEST)
    image = stored(member, data)
    headers = {"Range": f"bytes={PART - 9}-{PART + 9}"}
    answer = member.get(f"/v2/images/{image}/file", headers=headers)
    assert (answer.status_code, answer.content) == (206, data[PART - 9 : PART + 10])


def test_members_read_with_their_own_tokens(tenants, service, member, other):
    image = stored(member, b"shared", visibility="shared")
    project = tenants.keystone.other.project_id
    members = f"/v2/images/{image}/members"
    assert from_swift(tenants, service.tokens["other"], image) == 403
    assert member.post(members, json={"member": project}).status_code == 200
    assert tenants.access(image) == (f"{project}:*", f"{tenants.admins}:*")
    assert read(other, image) == b"shared"
    assert from_swift(tenants, service.tokens["other"], image) == 200
    assert member.delete(f"{members}/{project}").status_code == 204
    assert tenants.access(image)[0] == ""
    assert from_swift(tenants, service.tokens["other"], image) == 403


def test_members_of_before_the_upload_read(tenants, member, other):
    image = member.create(visibility="shared")
    project = tenants.keystone.other.project_id
    assert member.post(f"/v2/images/{image}/members", json={"member": project}).status_code == 200
    assert member.upload(image, b"late").status_code == 204
    assert tenants.access(image)[0] == f"{project}:*"
    assert read(other, image) == b"late"


def test_what_everybody_sees_everybody_reads(tenants, service, apis, member, other):
    image = stored(member, b"seen")

    def make(who, visibility):
        change = [{"op": "replace", "path": "/visibility", "value": visibility}]
        answer = apis[who].change(image, change)
        assert answer.status_code == 200, answer.text
        return tenants.access(image)[0]

    assert make("member", "community") == "*:*"
    assert read(other, image) == b"seen"
    assert make("member", "private") == ""
    assert from_swift(tenants, service.tokens["other"], image) == 403
    # An administrator of images has no rights in the account; the service does it.
    assert make("admin", "public") == "*:*"
    assert read(other, image) == b"seen"
    assert from_swift(tenants, "no-token", image) == 401


def test_administrators_delete_what_they_can_not_read(tenants, apis, member):
    for size in [SMALL, LARGEST]:
        image = stored(member, bytes_of(size))
        assert apis["admin"].get(f"/v2/images/{image}/file").status_code == 503
        assert apis["admin"].delete(f"/v2/images/{image}").status_code == 204
        assert tenants.held(image) is None


def test_imports_come_into_the_account_of_who_asks(tenants, web, member, eventually):
    data = bytes_of(LARGEST)
    staged = member.create()
    assert stage(member, staged, data).status_code == 204
    assert import_image(member, staged, "glance-direct").status_code == 202
    downloaded = member.create()
    url = web.serve(f"/{unique('file')}", data)
    assert import_image(member, downloaded, "web-download", uri=url).status_code == 202
    for image in [staged, downloaded]:
        task = eventually(lambda image=image: ended(member, image), limit=60)
        assert task["status"] == "success", task
        eventually(lambda image=image: tenants.access(image) == ("", f"{tenants.admins}:*"))
        assert read(member, image) == data


def test_copies_go_out_and_come_in(tenants, apis, eventually):
    admin = apis["admin"]
    image = stored(admin, b"copied")
    for before, after in [("tenants", "file"), ("file", "tenants")]:
        assert import_image(admin, image, "copy-image", stores=[after]).status_code == 202
        task = eventually(lambda: ended(admin, image), limit=60)
        assert task["status"] == "success", task
        assert admin.delete(f"/v2/stores/{before}/{image}").status_code == 204
        assert read(admin, image) == b"copied"
        assert (tenants.held(image, "admin") is None) == (after == "file")


def test_nothing_stays_of_an_upload_whose_client_goes(tenants, service, member, eventually):
    image = member.create()
    host, port = service.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port))) as client:
        head = [
            f"PUT /v2/images/{image}/file HTTP/1.1",
            f"X-Auth-Token: {service.tokens['member']}",
            "Host: x",
            "Content-Type: application/octet-stream",
            f"Content-Length: {LARGEST + 1}",
        ]
        client.sendall("\r\n".join([*head, "", ""]).encode() + bytes_of(LARGEST))
        eventually(lambda: tenants.held(image))
    eventually(lambda: member.status(image) == "queued")
    assert tenants.held(image) is None
    assert member.upload(image, b"x").status_code == 204
    assert read(member, image) == b"x"


def test_locations_of_users_are_refused(tenants, service, member, other):
    """A record must not send the tokens of its readers elsewhere."""
    image = stored(member, b"x")
    [location] = member.show(image)["locations"]
    for url in [location["url"], f"swift+http://127.0.0.1:1/v1/KS_x/{tenants.container}_x/x"]:
        change = [{"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}}}]
        queued = other.create()
        assert other.change(queued, change).status_code == 400


def test_the_service_scrubs_as_itself(tenants, tmp_path):
    more = tenants.sections(tmp_path)
    default = f"{DEFAULT}delayed_delete = true\n"
    config = tenants.keystone.config(tmp_path / "glance-api.conf", default=default, more=more)
    service = Service(tmp_path / "state", arguments=["--config-file", config])
    service.options += ["--config-file", config]
    api = tenants.people["member"].at(service)
    images = [stored(api, bytes_of(size)) for size in [SMALL, LARGEST]]
    for image in images:
        assert api.delete(f"/v2/images/{image}").status_code == 204
        assert tenants.held(image)
    assert "2 images scrubbed, 0 left" in scrub(service)
    for image in images:
        assert tenants.held(image) is None
    assert service.stop() == 0


WAYS = [("Glance", "tintype"), ("tintype", "Glance")]


@pytest.fixture(scope="module")
def both(tenants, tmp_path_factory):
    cloud = TenantsCloud(tmp_path_factory.mktemp("both"), tenants)
    yield cloud
    cloud.close()


@pytest.fixture(params=WAYS, ids=["_to_".join(way) for way in WAYS])
def way(request, both):
    return [both.sides[name] for name in request.param]


@pytest.mark.parametrize("size, length", [(SMALL, "known"), (LARGEST, "unknown")])
def test_what_one_has_stored_the_other_reads_and_deletes(tenants, way, size, length):
    one, other = way
    data = bytes_of(size)
    image = stored(one.api(), data if length == "known" else in_pieces(data))
    assert tenants.held(image) == layout(image, size, length == "unknown")
    assert read(other.api(), image) == data
    project = tenants.keystone.other.project_id
    members = f"/v2/images/{image}/members"
    assert other.api().post(members, json={"member": project}).status_code == 200
    assert read(one.api("other"), image) == data
    assert other.api().delete(f"/v2/images/{image}").status_code == 204
    assert tenants.held(image) is None


def test_both_write_the_same(tenants, both):
    """Objects of the same names and lengths, the same locations, and the same lists of access."""
    told = {name: list(steps(tenants, side)) for name, side in both.sides.items()}
    assert told["tintype"] == told["Glance"]


def steps(tenants, side):
    api, project = side.api(), tenants.keystone.other.project_id
    image = stored(api, in_pieces(bytes_of(LARGEST)))
    yield [(name.replace(image, "ID"), length) for name, length in tenants.held(image)]
    [location] = api.show(image)["locations"]
    yield location["url"].replace(image, "ID"), location["metadata"]
    yield tenants.access(image)
    members = f"/v2/images/{image}/members"
    assert api.post(members, json={"member": project}).status_code == 200
    yield tenants.access(image)
    for visibility in ["community", "shared"]:
        change = [{"op": "replace", "path": "/visibility", "value": visibility}]
        assert api.change(image, change).status_code == 200
        yield tenants.access(image)
    assert api.delete(f"{members}/{project}").status_code == 204
    yield tenants.access(image)
