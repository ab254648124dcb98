"""Imports and tasks with the clients that people use."""

import json
import threading

import pytest

from importing import data_of
from service import TINTYPE, unique


@pytest.fixture(scope="module")
def api(importer_api):
    return importer_api


def glance_id(output):
    rows = [line.split("|") for line in output.splitlines() if line.startswith("|")]
    return next(row[2].strip() for row in rows if row[1].strip() == "id")


def named(api, name):
    [image] = api.get(f"/v2/images?name={name}").json()["images"]
    return image["id"]


def test_glance_tells_what_can_be_imported(importer):
    assert "import-methods" in importer.run("glance", "import-info")


def test_glance_creates_an_image_via_import(importer, api, file, data, eventually):
    name = unique("via-import")
    importer.run(
        "glance", "image-create-via-import", "--name", name, "--disk-format", "raw",
        "--container-format", "bare", "--file", file,
    )  # fmt: skip
    image = named(api, name)
    eventually(lambda: api.status(image) == "active")
    assert data_of(api, image) == data


def test_glance_creates_an_image_from_a_url_in_all_stores(importer, api, web, data, eventually):
    name, url = unique("via-web"), web.serve("/glance", data)
    importer.run(
        "glance", "image-create-via-import", "--name", name, "--disk-format", "raw",
        "--container-format", "bare", "--import-method", "web-download", "--uri", url,
        "--all-stores", "True",
    )  # fmt: skip
    image = named(api, name)
    eventually(lambda: api.status(image) == "active")
    assert api.show(image)["stores"] == "fast,slow"


def test_glance_stages_and_imports(importer, api, file, data, eventually):
    image = api.create()
    importer.run("glance", "image-stage", "--file", file, image)
    assert api.status(image) == "uploading"
    importer.run("glance", "image-import", image, "--import-method", "glance-direct")
    eventually(lambda: api.status(image) == "active")
    assert data_of(api, image) == data
    importer.run(
        "glance", "image-import", image, "--import-method", "copy-image", "--stores", "slow"
    )
    eventually(lambda: api.show(image)["stores"].count(",") == 1)
    assert importer.run("glance", "image-tasks", image).count("success") == 2


def test_glance_lists_shows_and_creates_tasks(importer, api, web, data, eventually):
    task = {
        "import_from": web.serve("/glance-task", data),
        "import_from_format": "raw",
        "image_properties": {"disk_format": "raw", "container_format": "bare"},
    }
    output = importer.run("glance", "task-create", "--type", "import", "--input", json.dumps(task))
    task = glance_id(output)
    shown = eventually(lambda: "success" in (out := importer.run("glance", "task-show", task)) and out)
    assert task in shown
    assert task in importer.run("glance", "task-list", "--status", "success")


def test_openstack_stages_imports_and_shows_tasks(importer, api, file, data, eventually):
    image = api.create()
    importer.run("openstack", "image", "stage", "--file", file, image)
    assert api.status(image) == "uploading"
    importer.run("openstack", "image", "import", "--method", "glance-direct", image)
    eventually(lambda: api.status(image) == "active")
    assert data_of(api, image) == data
    listed = json.loads(importer.run("openstack", "image", "task", "list", "-f", "json"))
    task = api.get(f"/v2/images/{image}/tasks").json()["tasks"][0]["id"]
    assert task in [row["ID"] for row in listed]
    shown = json.loads(importer.run("openstack", "image", "task", "show", "-f", "json", task))
    assert (shown["id"], shown["status"]) == (task, "success")
    assert "web-download" in importer.run("openstack", "image", "import", "info")


def test_openstack_imports_from_a_url(importer, api, web, data, eventually):
    image, url = api.create(), web.serve("/openstack", data)
    importer.run(
        "openstack", "image", "import", "--method", "web-download", "--uri", url, image, "--store",
        "slow",
    )  # fmt: skip
    eventually(lambda: api.status(image) == "active")
    assert (api.show(image)["stores"], data_of(api, image)) == ("slow", data)


def test_the_sdk_imports(importer, api, web, data, eventually):
    cloud = importer.sdk()
    image = cloud.image.create_image(
        name=unique("sdk"), disk_format="raw", container_format="bare", allow_duplicates=True
    )
    cloud.image.import_image(image, method="web-download", uri=web.serve("/sdk", data))
    eventually(lambda: api.status(image.id) == "active")
    task = api.get(f"/v2/images/{image.id}/tasks").json()["tasks"][0]["id"]
    assert cloud.image.get_task(task).status == "success"
    assert task in [found.id for found in cloud.image.tasks()]


def test_our_own_command_lists_shows_and_cancels_tasks(importer, api, web, eventually):
    gate = threading.Event()
    image, url = api.create(), web.serve("/own", b"x" * (8 << 20), gate)
    body = {"method": {"name": "web-download", "uri": url}}
    assert api.post(f"/v2/images/{image}/import", json=body).status_code == 202

    def run(*words, **options):
        return importer.run(TINTYPE, "task", *words, **options)

    def processing():
        return json.loads(run("list", "--status", "processing", "--image", image, "--json"))

    [task] = eventually(processing)
    assert task["id"] in run("list")
    shown = eventually(lambda: "Copied" in (out := run("show", task["id"])) and out)
    assert "processing" in shown and image in shown
    assert json.loads(run("cancel", task["id"], "--json")) == [{"id": task["id"]}]
    eventually(lambda: json.loads(run("show", task["id"], "--json"))["message"] == "Cancelled.")
    assert api.status(image) == "queued"
    assert "can't be cancelled" in run("cancel", task["id"], status=1)
    assert "there is no task" in run("show", image, status=1)
    gate.set()
