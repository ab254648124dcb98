"""`PATCH /v2/images/{id}`: both dialects."""

from differential.cases import JSON, OLD_PATCH, PATCH, Case, active, change, create, show

CONFIGURATION = "plain"


def add(path, value):
    return {"op": "add", "path": path, "value": value}


def replace(path, value):
    return {"op": "replace", "path": path, "value": value}


def remove(path):
    return {"op": "remove", "path": path}


PATCHES = {
    "nothing": [],
    "a name": [replace("/name", "m")],
    "an added name": [add("/name", "m")],
    "null for a name": [replace("/name", None)],
    "a removed name": [remove("/name")],
    "a number for a name": [replace("/name", 5)],
    "a name of 256": [replace("/name", "x" * 256)],
    "visibility": [replace("/visibility", "private")],
    "a public image": [replace("/visibility", "public")],
    "a community image": [replace("/visibility", "community")],
    "an unknown visibility": [replace("/visibility", "secret")],
    "a removed visibility": [remove("/visibility")],
    "protected": [replace("/protected", True)],
    "protected by a text": [replace("/protected", "true")],
    "hidden": [replace("/os_hidden", True)],
    "a removed os_hidden": [remove("/os_hidden")],
    "min_disk": [replace("/min_disk", 5)],
    "a negative min_disk": [replace("/min_disk", -5)],
    "a large min_ram": [replace("/min_ram", 2**31)],
    "a removed min_ram": [remove("/min_ram")],
    "a disk format": [replace("/disk_format", "qcow2")],
    "null for a disk format": [replace("/disk_format", None)],
    "an unknown disk format": [replace("/disk_format", "floppy")],
    "a removed disk format": [remove("/disk_format")],
    "a container format": [replace("/container_format", "ova")],
    "tags": [replace("/tags", ["x", "y", "x"])],
    "no tags": [replace("/tags", [])],
    "removed tags": [remove("/tags")],
    "an appended tag": [add("/tags/-", "x")],
    "a first tag": [add("/tags/0", "x")],
    "129 tags": [replace("/tags", [f"t{n}" for n in range(129)])],
    "an owner": [replace("/owner", "someone")],
    "its own owner": [replace("/owner", "{one}")],
    "null for an owner": [replace("/owner", None)],
    "a removed owner": [remove("/owner")],
    "an added property": [add("/os_distro", "debian")],
    "an added property that was there": [add("/there", "new")],
    "a replaced property": [replace("/there", "new")],
    "a replaced property that was not there": [replace("/nowhere", "new")],
    "a removed property": [remove("/there")],
    "a removed property that was not there": [remove("/nowhere")],
    "a number for a property": [add("/os_distro", 5)],
    "null for a property": [add("/os_distro", None)],
    "a list for a property": [add("/os_distro", [])],
    "an added and removed property": [add("/a", "x"), remove("/a")],
    "an added and replaced property": [add("/a", "x"), replace("/a", "y")],
    "a twice removed property": [remove("/there"), remove("/there")],
    "129 properties": [add(f"/p{n}", "x") for n in range(129)],
    "128 properties more": [add(f"/p{n}", "x") for n in range(128)],
    "an id": [replace("/id", "99999999-0000-4000-8000-000000000000")],
    "a removed id": [remove("/id")],
    "a status": [replace("/status", "active")],
    "a size": [add("/size", 5)],
    "a checksum": [replace("/checksum", "x")],
    "os_hash_value": [replace("/os_hash_value", "x")],
    "created_at": [replace("/created_at", "2000-01-01T00:00:00Z")],
    "file": [replace("/file", "x")],
    "self": [replace("/self", "x")],
    "schema": [replace("/schema", "x")],
    "stores": [replace("/stores", "x")],
    "removed stores": [remove("/stores")],
    "direct_url": [replace("/direct_url", "x")],
    "location": [add("/location", "x")],
    "deleted": [add("/deleted", "x")],
    "deleted_at": [add("/deleted_at", "x")],
    "os_glance_x": [add("/os_glance_x", "x")],
    "removed os_glance_x": [remove("/os_glance_x")],
    "locations": [replace("/locations", [])],
    "an appended location": [add("/locations/-", {"url": "file:///x", "metadata": {}})],
    "a removed location": [remove("/locations/0")],
    "a removed list of locations": [remove("/locations")],
    "no operation": [{"path": "/name", "value": "m"}],
    "null for an operation": [{"op": None, "path": "/name", "value": "m"}],
    "test": [{"op": "test", "path": "/name", "value": "n"}],
    "move": [{"op": "move", "path": "/name", "from": "/there"}],
    "an operation in capitals": [{"op": "ADD", "path": "/name", "value": "m"}],
    "no path": [{"op": "add", "value": "m"}],
    "a number for a path": [{"op": "add", "path": 5, "value": "m"}],
    "no value": [{"op": "add", "path": "/name"}],
    "no value to replace with": [{"op": "replace", "path": "/name"}],
    "a removal with a value": [{"op": "remove", "path": "/there", "value": "x"}],
    "more members": [{"op": "add", "path": "/a", "value": "x", "more": 1}],
    "a path without a slash": [add("name", "m")],
    "an empty path": [add("", "m")],
    "a slash for a path": [add("/", "m")],
    "two slashes for a path": [add("//", "m")],
    "a path of two steps": [add("/a/b", "m")],
    "a path with a slash at its end": [add("/a/", "m")],
    "a path with a double slash": [add("/a//b", "m")],
    "an escaped slash": [add("/a~1b", "m")],
    "an escaped tilde": [add("/a~0b", "m")],
    "a bad escape": [add("/a~2b", "m")],
    "a tilde at the end": [add("/a~", "m")],
    "spaces in a path": [add("/ a ", "m")],
    "unicode in a path": [add("/größe", "m")],
    "a name of 256 in a path": [add("/" + "p" * 256, "m")],
    "the good before the bad": [replace("/name", "m"), replace("/status", "x")],
    "an object": {},
    "a text": "x",
    "null": None,
    "a list of texts": ["x"],
    "a list of lists": [[]],
}

OLDER = {
    "a name": [{"replace": "/name", "value": "m"}],
    "an added property": [{"add": "/a", "value": "x"}],
    "a removed property": [{"remove": "/there"}],
    "two operations in one": [{"add": "/a", "remove": "/there", "value": "x"}],
    "no operation": [{"value": "x"}],
    "no value": [{"add": "/a"}],
    "the newer form": [{"op": "add", "path": "/a", "value": "x"}],
    "a deep path": [{"add": "/a/b", "value": "x"}],
    "a number for a path": [{"add": 5, "value": "x"}],
}

# What may change once there are bytes.
WITH_BYTES = {
    "a disk format": [replace("/disk_format", "qcow2")],
    "the same disk format": [replace("/disk_format", "raw")],
    "a container format": [replace("/container_format", "ova")],
    "a name": [replace("/name", "m")],
    "removed stores": [remove("/stores")],
}

CASES = [
    *[
        Case(f"patch {what}", [create(there="old", tags=["t"]), change(operations), show()])
        for what, operations in PATCHES.items()
    ],
    *[
        Case(
            f"patch in the older dialect {what}",
            [create(there="old"), change(operations, OLD_PATCH), show()],
        )
        for what, operations in OLDER.items()
    ],
    *[
        Case(f"patch an active image: {what}", [*active(), change(operations), show()])
        for what, operations in WITH_BYTES.items()
    ],
    *[
        Case(
            f"patch with the content type {kind}", [create(), change([replace("/name", "m")], kind)]
        )
        for kind in [
            JSON,
            None,
            "text/plain",
            "application/json-patch+json",
            "application/openstack-images-v2.2-json-patch",
            PATCH + "; charset=utf-8",
            PATCH.upper(),
        ]
    ],
    *[
        Case(f"patch as {who}", [create(), change([replace("/name", "m")]).as_(who), show()])
        for who in ["admin", "reader", "other", None]
    ],
    Case(
        "patch a community image as a stranger",
        [create(visibility="community"), change([replace("/name", "m")]).as_("other")],
    ),
    Case(
        "publish as an administrator",
        [create(), change([replace("/visibility", "public")]).as_("admin"), show().as_("other")],
    ),
    Case(
        "give away as an administrator",
        [create(), change([replace("/owner", "{two}")]).as_("admin"), show()],
    ),
    Case("patch a protected image", [create(protected=True), change([replace("/name", "m")])]),
]
