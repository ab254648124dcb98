"""What may be done with an image: a function for each, called with the service that does it and
the image that it is done to.

An operation is carried out by either service, whoever did the one before. It asserts that it
succeeded; what came of it is compared elsewhere.
"""

import random
import time
import uuid


class Subject:
    """An image, and what is known about it."""

    def __init__(self, number):
        # The same in each run, so that rows can be compared.
        self.id = str(uuid.UUID(int=0x5EED << 100 | number, version=4))
        self.number = number
        # Its bytes; None while there are none.
        self.data = None
        self.status = "queued"
        self.members = set()

    @property
    def path(self):
        return f"/v2/images/{self.id}"

    def bytes(self, length=2048):
        return random.Random(self.number).randbytes(length)


def done(answer, *expected):
    assert answer.status_code in expected, f"{answer.status_code}: {answer.text}"
    return answer


def until(condition, limit=60):
    end = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
    return found


def create(side, image):
    fields = {
        "id": image.id,
        "name": f"image {image.number}",
        "disk_format": "raw",
        "container_format": "bare",
        "min_disk": image.number % 7,
        "tags": ["first", "größe"],
        "colour": "rot & blau",
        "empty": "",
    }
    done(side.api().post("/v2/images", json=fields), 201)


def upload(side, image):
    answer = side.api().upload(image.id, image.bytes())
    done(answer, 204)
    image.data, image.status = image.bytes(), "active"


def upload_to_another_store(side, image):
    headers = {"X-Image-Meta-Store": "slow"}
    done(side.api().upload(image.id, image.bytes(0), **headers), 204)
    image.data, image.status = b"", "active"


def stage_and_import(side, image):
    """Both at one service: what is staged lies on its node."""
    headers = {"Content-Type": "application/octet-stream"}
    done(side.api().put(f"{image.path}/stage", data=image.bytes(), headers=headers), 204)
    begin_import(side, image, {"name": "glance-direct"}, stores=["file", "slow"])
    until(lambda: side.api().status(image.id) == "active")
    unlocked(side, image)
    image.data, image.status = image.bytes(), "active"


def import_from_the_web(side, image):
    url = f"http://127.0.0.1:{side.cloud.files.server_port}/disk.raw"
    begin_import(side, image, {"name": "web-download", "uri": url})
    until(lambda: side.api().status(image.id) == "active")
    unlocked(side, image)
    image.data, image.status = b"bytes from the web\n" * 100, "active"


def begin_import(side, image, method, **more):
    done(side.api().post(f"{image.path}/import", json={"method": method} | more), 202)


def unlocked(side, image):
    until(lambda: "os_glance_import_task" not in side.api().show(image.id))


def copy_to_another_store(side, image):
    admin = side.api("admin")
    if "slow" in admin.show(image.id).get("stores", ""):
        return
    body = {"method": {"name": "copy-image"}, "stores": ["slow"]}
    done(admin.post(f"{image.path}/import", json=body), 202)
    until(lambda: "slow" in side.api("admin").show(image.id).get("stores", ""))
    unlocked(side, image)


def delete_from_a_store(side, image):
    stores = side.api("admin").show(image.id)["stores"].split(",")
    if len(stores) > 1:
        done(side.api("admin").delete(f"/v2/stores/{stores[-1]}/{image.id}"), 204)


def change(*operations):
    def operation(side, image):
        patch = [dict(zip(["op", "path", "value"], one, strict=False)) for one in operations]
        done(side.api().change(image.id, patch), 200)

    return operation


def publish(side, image):
    patch = [{"op": "replace", "path": "/visibility", "value": "public"}]
    done(side.api("admin").change(image.id, patch), 200)


def share(side, image):
    patch = [{"op": "replace", "path": "/visibility", "value": "shared"}]
    done(side.api("admin").change(image.id, patch), 200)


def add_tag(side, image):
    done(side.api().put(f"{image.path}/tags/added"), 204)


def remove_tag(side, image):
    done(side.api().delete(f"{image.path}/tags/first"), 204, 404)


def add_member(side, image):
    share(side, image)
    member = side.cloud.known["two"]
    expected = [409] if member in image.members else [200]
    done(side.api().post(f"{image.path}/members", json={"member": member}), *expected)
    image.members.add(member)


def accept(side, image):
    member = side.cloud.known["two"]
    if member in image.members:
        path = f"{image.path}/members/{member}"
        done(side.api("other").put(path, json={"status": "accepted"}), 200)


def remove_member(side, image):
    member = side.cloud.known["two"]
    if member in image.members:
        done(side.api().delete(f"{image.path}/members/{member}"), 204)
        image.members.discard(member)


def deactivate(side, image):
    done(side.api("admin").post(f"{image.path}/actions/deactivate"), 204)
    image.status = "deactivated"


def reactivate(side, image):
    done(side.api("admin").post(f"{image.path}/actions/reactivate"), 204)
    image.status = "active"


def download(side, image):
    answer = side.api().get(f"{image.path}/file")
    if not image.data:
        done(answer, 204, 200)
    assert (answer.content or b"") == (image.data or b"")


def add_location(side, image):
    """Of an image without bytes: it becomes active."""
    url = f"http://127.0.0.1:{side.cloud.files.server_port}/disk.raw"
    location = {"url": url, "metadata": {"zone": "a"}}
    done(side.api().change(image.id, [{"op": "add", "path": "/locations/-", "value": location}]), 200)
    image.data, image.status = b"bytes from the web\n" * 100, "active"


def attach_location(side, image):
    """As the location API of Glance 33 does it: in the background, digests last."""
    url = f"http://127.0.0.1:{side.cloud.files.server_port}/disk.raw"
    done(side.api().post(f"{image.path}/locations", json={"url": url}), 202)
    until(lambda: side.api().show(image.id)["os_hash_value"])
    until(lambda: side.api().status(image.id) == "active")
    unlocked(side, image)
    image.data, image.status = b"bytes from the web\n" * 100, "active"


def describe_location(side, image):
    admin = side.api("admin")
    locations = admin.show(image.id)["locations"]
    for location in locations:
        location["metadata"] = location["metadata"] | {"rack": "7"}
    patch = [{"op": "replace", "path": "/locations", "value": locations}]
    done(admin.change(image.id, patch), 200)


def delete(side, image):
    done(side.api("admin").delete(image.path), 204)
    image.data, image.status = None, "deleted"


# Those that are done to an image in each of its states.
TO_ALL = {
    "rename": change(("replace", "/name", "ein anderer Name ☃")),
    "set a property": change(("add", "/colour", "grün"), ("add", "/large", "x" * 4000)),
    "remove a property": change(("add", "/passing", "1"), ("remove", "/passing")),
    "replace tags": change(("replace", "/tags", ["z", "a", "größe"])),
    "limits": change(("replace", "/min_ram", 512), ("replace", "/min_disk", 3)),
    "hide": change(("replace", "/os_hidden", True)),
    "show again": change(("replace", "/os_hidden", False)),
    "protect": change(("replace", "/protected", True)),
    "unprotect": change(("replace", "/protected", False)),
    "community": change(("replace", "/visibility", "community")),
    "private": change(("replace", "/visibility", "private")),
    "publish": publish,
    "share": share,
    "add a tag": add_tag,
    "remove a tag": remove_tag,
    "add a member": add_member,
    "accept": accept,
    "remove a member": remove_member,
}

BY_STATUS = {
    "queued": TO_ALL
    | {
        "upload": upload,
        "upload to another store": upload_to_another_store,
        "stage and import": stage_and_import,
        "import from the web": import_from_the_web,
        "attach a location": attach_location,
    },
    "active": TO_ALL
    | {
        "download": download,
        "copy to another store": copy_to_another_store,
        "delete from a store": delete_from_a_store,
        "deactivate": deactivate,
        "describe locations": describe_location,
    },
    "deactivated": TO_ALL | {"reactivate": reactivate},
}

# The lives of images that between them see every operation.
LIVES = {
    "uploaded": [
        upload, *TO_ALL.values(), download, copy_to_another_store, delete_from_a_store, deactivate,
        reactivate, describe_location, download, delete,
    ],
    "changed before its bytes came": [*TO_ALL.values(), upload, download, delete],
    "staged": [stage_and_import, download, delete_from_a_store, download, add_member, delete],
    "imported from the web": [import_from_the_web, download, publish, copy_to_another_store, download],
    "elsewhere": [add_location, download, describe_location, delete],
    "attached": [attach_location, download, describe_location, download, delete],
    "empty": [upload_to_another_store, download, add_tag],
    "never filled": [add_member, accept, add_tag, delete],
    "shared": [upload, add_member, accept, remove_member, add_member, download],
}  # fmt: skip
