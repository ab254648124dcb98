"""Creating, changing and deleting records beyond what clients send."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from service import PATCH, Account, unique


def test_versions_are_listed_for_everybody(api):
    listed = api.get("/versions", headers={"X-Auth-Token": ""})
    assert listed.status_code == 200
    assert "CURRENT" in [version["status"] for version in listed.json()["versions"]]
    assert api.get("/").status_code == 300
    assert api.get("/versions/").json() == listed.json()


def test_a_path_of_no_version_is_answered_with_the_versions(api):
    for path in ["/v1/images", "/v3", "/nothing"]:
        answer = api.get(path)
        assert (answer.status_code, len(answer.json()["versions"]) > 1) == (300, True)
    moved = api.get("/v2", allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (302, f"{api.url}/v2/")
    assert api.get("/v2/nothing").status_code == 404


def test_a_record_comes_back_as_it_was_sent(api):
    own = str(uuid.uuid4())
    answer = api.post(
        "/v2/images",
        json={
            "id": own,
            "name": "n",
            "tags": ["t"],
            "min_ram": 5,
            "visibility": "private",
            "os_type": "linux",
        },
    )
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/v2/images/{own}")
    record = answer.json()
    assert (record["id"], record["status"], record["visibility"]) == (own, "queued", "private")
    assert (record["tags"], record["min_ram"], record["os_type"]) == (["t"], 5, "linux")
    assert record["self"] == f"/v2/images/{own}" and record["file"] == f"/v2/images/{own}/file"
    assert record["checksum"] is None and record["size"] is None
    assert api.show(own) == record


def test_an_id_is_taken_once(api):
    image = api.create()
    assert api.post("/v2/images", json={"id": image}).status_code == 409
    api.delete(f"/v2/images/{image}")
    assert api.post("/v2/images", json={"id": image}).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"id": "not-a-uuid"},
        {"id": "../../etc/passwd"},
        {"name": "n" * 256},
        {"name": 5},
        {"min_disk": -1},
        {"min_ram": "much"},
        {"visibility": "secret"},
        {"tags": "t"},
        {"tags": ["t" * 256]},
        {"protected": "maybe"},
        {"os_hidden": 7},
        {"custom": 5},
        {"disk_format": "floppy"},
        [],
        "text",
        None,
    ],
)
def test_a_record_that_means_nothing_is_refused(api, body):
    answer = api.post("/v2/images", json=body)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "field",
    [
        {"status": "active"},
        {"checksum": "0" * 32},
        {"size": 1},
        {"created_at": "2020-01-01T00:00:00Z"},
        {"self": "/x"},
        {"os_glance_x": "1"},
        {"deleted": "false"},
    ],
)
def test_read_only_properties_can_not_be_created(api, field):
    assert api.post("/v2/images", json=field).status_code == 403


@pytest.mark.parametrize(
    "operations, status",
    [
        ({"op": "add", "path": "/a", "value": "b"}, 400),
        (["add"], 400),
        ([{"op": "add", "path": "/a"}], 400),
        ([{"op": "move", "path": "/a", "from": "/b"}], 400),
        ([{"op": "test", "path": "/name", "value": "x"}], 400),
        ([{"path": "/a", "value": "b"}], 400),
        ([{"op": "add", "path": "a", "value": "b"}], 400),
        ([{"op": "add", "path": "/a/b/c", "value": "d"}], 400),
        ([{"op": "add", "path": "/a~2b", "value": "d"}], 400),
        ([{"op": "replace", "path": "/min_disk", "value": "much"}], 400),
        ([{"op": "replace", "path": "/visibility", "value": "secret"}], 400),
        ([{"op": "replace", "path": "/absent", "value": "x"}], 409),
        ([{"op": "remove", "path": "/absent"}], 409),
        ([{"op": "remove", "path": "/name"}], 403),
        ([{"op": "replace", "path": "/id", "value": str(uuid.uuid4())}], 403),
        ([{"op": "replace", "path": "/status", "value": "active"}], 403),
        ([{"op": "replace", "path": "/checksum", "value": "0" * 32}], 403),
        ([{"op": "add", "path": "/os_glance_import_task", "value": "x"}], 403),
        ([{"op": "add", "path": "/deleted", "value": True}], 403),
    ],
)
def test_an_illegal_patch_changes_nothing(api, operations, status):
    image = api.create(keep="me")
    before = api.show(image)
    answer = api.change(image, operations)
    assert answer.status_code == status, answer.text
    assert api.show(image) == before


def test_a_patch_is_applied_whole_or_not_at_all(api):
    image = api.create()
    good = {"op": "add", "path": "/good", "value": "1"}
    bad = {"op": "remove", "path": "/absent"}
    assert api.change(image, [good, bad]).status_code == 409
    assert "good" not in api.show(image)


def test_a_patch_of_names_that_need_escaping(api):
    image = api.create()
    answer = api.change(image, [{"op": "add", "path": "/a~1b~0c", "value": "d"}])
    assert answer.status_code == 200, answer.text
    assert answer.json()["a/b~c"] == "d"


@pytest.mark.parametrize("kind", ["application/json", "application/json-patch+json", "text/plain"])
def test_a_patch_needs_its_own_content_type(api, kind):
    image = api.create()
    answer = api.patch(f"/v2/images/{image}", data="[]", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert PATCH in answer.headers["Accept-Patch"]
    assert (
        api.patch(f"/v2/images/{image}", data="[]", headers={"Content-Type": PATCH}).status_code
        == 200
    )


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "PUT", "POST"])
@pytest.mark.parametrize(
    "identifier", ["not-a-uuid", "..%2f..%2fetc%2fpasswd", "%00", "' OR 1=1 --"]
)
def test_an_identifier_that_is_none_finds_nothing(api, method, identifier):
    tail = {"PUT": "/file", "POST": "/actions/deactivate"}.get(method, "")
    kind = {"PATCH": PATCH, "PUT": "application/octet-stream"}.get(method, "application/json")
    headers = {"Content-Type": kind}
    data = "[]" if method == "PATCH" else None
    answer = api.request(method, f"/v2/images/{identifier}{tail}", data=data, headers=headers)
    assert answer.status_code == 404, answer.text


def test_a_wrong_method_names_the_right_ones(api):
    answer = api.request("DELETE", "/v2/images")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= {"GET", "POST"}


@pytest.mark.parametrize("token", ["", "nonsense", "gAAAAA" + "x" * 200])
def test_without_a_token_nothing_is_told(api, token):
    answer = api.get("/v2/images", headers={"X-Auth-Token": token})
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_a_member_knows_of_no_other_members(api, another):
    image = api.create()
    for member in [another.project_id, "another"]:
        answer = api.post(f"/v2/images/{image}/members", json={"member": member})
        assert answer.status_code == 200
    mine = another.api()
    listed = mine.get(f"/v2/images/{image}/members").json()["members"]
    assert [member["member_id"] for member in listed] == [another.project_id]
    path = f"/v2/images/{image}/members/another"
    assert mine.get(path).status_code == 404
    assert mine.put(path, json={"status": "accepted"}).status_code == 404


def test_private_images_are_invisible_to_others(api, another):
    image = api.create(visibility="private")
    others = another.api()
    assert others.get(f"/v2/images/{image}").status_code == 404
    assert others.get(f"/v2/images/{image}/file").status_code == 404
    assert image not in others.get("/v2/images?limit=1000").text


def test_a_property_named_as_a_file_is_only_text(api, service):
    image = api.create(name="../../" + unique("name"))
    assert api.upload(image, b"1").status_code == 204
    assert image in service.stored_files()


def test_errors_are_told_in_the_language_asked_for(api):
    missing = "/v2/images/00000000-0000-0000-0000-000000000000"
    assert "message" in api.get(missing).text
    assert "<html>" in api.get(missing, headers={"Accept": "text/html"}).text


def test_a_huge_body_is_refused_without_being_kept(service, api):
    api.get("/v2/images")
    before = service.memory()
    megabyte = b"a" * (1 << 20)

    def body():
        yield b'{"name": "'
        for _ in range(100):
            yield megabyte
        yield b'"}'

    answer = api.post("/v2/images", data=body(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413, answer.text
    assert service.memory() - before < 50 << 20
    assert api.get("/v2/images").status_code == 200


def test_many_logins_at_once_leave_no_memory_behind(start):
    """A password takes 19 MiB while it is checked; threads must not keep that."""
    service = start()
    account = Account(service)
    with ThreadPoolExecutor(40) as pool:
        tokens = list(pool.map(lambda _: account.token(), range(40)))
    assert len(set(tokens)) == 40
    assert service.memory() < 100 << 20
