"""The tasks API."""

import datetime
import uuid

import pytest

from importing import configuration, import_image, member
from service import Account


@pytest.fixture(scope="module")
def api(importer_api):
    return importer_api


def make(api, web, **properties):
    fields = {"name": "by a task", "disk_format": "raw", "container_format": "bare"}
    task = {
        "import_from": web.url("/task"),
        "import_from_format": "raw",
        "image_properties": fields | properties,
    }
    return api.post("/v2/tasks", json={"type": "import", "input": task})


def end_of(api, task):
    found = api.get(f"/v2/tasks/{task}").json()
    return found if found["status"] in ("success", "failure") else None


def test_a_task_makes_an_image(api, web, data, sha512, eventually):
    web.serve("/task", data)
    answer = make(api, web, os_distro="debian")
    assert answer.status_code == 201, answer.text
    task = answer.json()
    assert task["self"] == f"/v2/tasks/{task['id']}"
    assert answer.headers["Location"] == api.url + task["self"]
    assert (task["status"], task["result"], task["message"]) == ("pending", None, "")
    assert set(task["input"]) == {"import_from", "import_from_format", "image_properties"}
    assert task["schema"] == "/v2/schemas/task" and task["request_id"].startswith("req-")
    done = eventually(lambda: end_of(api, task["id"]))
    assert done["status"] == "success" and done["expires_at"] > done["created_at"], done
    image = api.show(done["result"]["image_id"])
    assert (image["status"], image["os_distro"]) == ("active", "debian")
    assert image["os_hash_value"] == sha512(data)


@pytest.mark.parametrize(
    "options, hours", [("", 48), ("[task]\ntask_time_to_live = 2\n", 2)], ids=["default", "said"]
)
def test_a_task_is_kept_as_long_as_options_say(start, tmp_path, web, eventually, options, hours):
    api = Account(start(config=configuration(tmp_path, web, more=options))).api()
    web.serve("/task", b"bytes")
    task = make(api, web).json()
    done = eventually(lambda: end_of(api, task["id"]))
    instant = lambda name: datetime.datetime.fromisoformat(done[name])
    kept = instant("expires_at") - instant("updated_at")
    assert abs(kept - datetime.timedelta(hours=hours)) < datetime.timedelta(minutes=1), done


def test_a_task_that_fails_says_why_and_leaves_no_image(api, web, data, eventually):
    web.serve("/task", data)
    before = {image["id"] for image in api.get("/v2/images?limit=1000").json()["images"]}
    for properties in [{"visibility": "nobody"}, {"disk_format": "qcow2"}]:
        task = make(api, web, **properties).json()
        done = eventually(lambda: end_of(api, task["id"]))
        assert done["status"] == "failure" and done["message"], done
    images = {image["id"] for image in api.get("/v2/images?limit=1000").json()["images"]}
    assert images == before


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "x",
        {"type": "import"},
        {"input": {}},
        {"type": "export", "input": {}},
        {"type": "clone", "input": {}},
        {"type": "import", "input": "x"},
        {"type": "import", "input": None},
        {"type": "import", "input": {}},
        {"type": "import", "input": {}, "more": 1},
        {"type": "import", "input": {"import_from": "file:///etc/passwd"}},
        {"type": "import", "input": {"import_from": "http://169.254.169.254/"}},
        {"type": "import", "input": {"import_from": "http://127.0.0.1:22/"}},
    ],
    ids=str,
)  # fmt: skip
def test_bodies_that_are_refused(api, body):
    assert api.post("/v2/tasks", json=body).status_code == 400


def test_what_only_an_import_starts_fails(api, eventually):
    for kind in ["api_image_import", "location_import"]:
        answer = api.post("/v2/tasks", json={"type": kind, "input": {}})
        assert answer.status_code == 201
        assert eventually(lambda: end_of(api, answer.json()["id"]))["status"] == "failure"


def test_unknown_tasks(api):
    for unknown in [uuid.uuid4(), "nonsense"]:
        assert api.get(f"/v2/tasks/{unknown}").status_code == 404
        deleted = api.delete(f"/v2/tasks/{unknown}")
        assert (deleted.status_code, deleted.headers["Allow"]) == (405, "GET")


def test_lists_are_filtered_sorted_and_paged(api, web, data, eventually):
    web.serve("/task", data)
    made = [make(api, web).json()["id"] for _ in range(3)]
    for task in made:
        eventually(lambda: end_of(api, task))
    seen, url = [], "/v2/tasks?limit=2&status=success&sort_key=created_at&sort_dir=asc"
    while url:
        page = api.get(url).json()
        assert page["schema"] == "/v2/schemas/tasks" and len(page["tasks"]) <= 2
        assert all("input" not in task for task in page["tasks"])
        seen += [task["id"] for task in page["tasks"]]
        url = page.get("next")
    assert [task for task in seen if task in made] == made
    assert len(seen) == len(set(seen))
    newest = api.get("/v2/tasks?limit=1").json()["tasks"][0]["id"]
    assert newest == made[-1]
    for query in [
        "limit=-1", "limit=x", "marker=nonsense", f"marker={uuid.uuid4()}", "sort_key=colour",
        "sort_dir=up", "status=asleep", "type=export",
    ]:  # fmt: skip
        assert api.get(f"/v2/tasks?{query}").status_code == 400, query


def test_tasks_are_for_administrators(api, importing, web, data):
    other = member(importing)
    assert other.get("/v2/tasks").status_code == 403
    assert make(other, web).status_code == 403
    assert other.get(f"/v2/tasks/{uuid.uuid4()}").status_code == 403
    assert other.delete(f"/v2/tasks/{uuid.uuid4()}").status_code == 403


def test_the_tasks_of_an_image_are_its_owners(api, web, data, eventually):
    image = api.create()
    assert import_image(api, image, "web-download", uri=web.serve("/task", data)).ok
    eventually(lambda: api.status(image) == "active")
    [task] = api.get(f"/v2/images/{image}/tasks").json()["tasks"]
    assert (task["image_id"], task["deleted"], task["deleted_at"]) == (image, False, None)
    assert "worker" not in task["input"]
    assert api.get(f"/v2/images/{uuid.uuid4()}/tasks").status_code == 404


def test_schemas_describe_tasks(api):
    task = api.get("/v2/schemas/task").json()
    assert "api_image_import" in task["properties"]["type"]["enum"]
    items = api.get("/v2/schemas/tasks").json()["properties"]["tasks"]["items"]
    assert set(task["properties"]) - set(items["properties"]) == {"input", "result", "message"}
