"""Imports and tasks: `/v2/images/{id}/import`, `…/stage`, `…/tasks`, `/v2/tasks`, `/v2/info/import`."""

from differential.cases import BYTES, Case, Step, active, create, delete, get, post, show

CONFIGURATION = "full"

IMPORT = "/v2/images/{image}/import"
TASKS = "/v2/images/{image}/tasks"


def stage(data=b"some bytes", **headers):
    headers = {"Content-Type": BYTES} | headers
    return Step("PUT", "/v2/images/{image}/stage", body=data, headers=headers)


def imported():
    """The image once its import is over. Glance makes it active before."""
    return show().until_("os_glance_import_task", None)


def method(name, **more):
    return {"method": {"name": name} | more}


BODIES = {
    "nothing": {},
    "no name": {"method": {}},
    "a text for a method": {"method": "web-download"},
    "an unknown method": method("carrier-pigeon"),
    "a number for a method": method(5),
    "no uri": method("web-download"),
    "an empty uri": method("web-download", uri=""),
    "a file": method("web-download", uri="file:///etc/passwd"),
    "a host that is not allowed": method("web-download", uri="http://192.0.2.1/x"),
    "a port that is not allowed": method("web-download", uri="http://127.0.0.1:1/x"),
    "nothing staged": method("glance-direct"),
    "a copy of nothing": method("copy-image"),
    "an unknown store": method("glance-direct") | {"stores": ["nowhere"]},
    "no stores": method("glance-direct") | {"stores": []},
    "all stores and some": method("glance-direct") | {"stores": ["file"], "all_stores": True},
    "a text for all stores": method("glance-direct") | {"all_stores": "yes"},
    "a text for must succeed": method("glance-direct") | {"all_stores_must_succeed": "yes"},
    "a list": [],
}

TASK_BODIES = {
    "nothing": {},
    "an unknown type": {"type": "explode", "input": {}},
    "no input": {"type": "import"},
    "an input that lacks things": {"type": "import", "input": {}},
    "a file": {
        "type": "import",
        "input": {
            "import_from": "file:///etc/passwd",
            "import_from_format": "raw",
            "image_properties": {},
        },
    },
    "more": {"type": "import", "input": {}, "more": 1},
}

FROM_WEB = {
    "type": "import",
    "input": {
        "import_from": "{files}/disk.raw",
        "import_from_format": "raw",
        "image_properties": {"name": "by a task", "disk_format": "raw", "container_format": "bare"},
    },
}

CASES = [
    Case("methods", [get("/v2/info/import")]),
    *[
        Case(f"import {what}", [create(), post(IMPORT, body), show()])
        for what, body in BODIES.items()
    ],
    Case("import without a body", [create(), post(IMPORT)]),
    Case(
        "import without formats",
        [
            create(disk_format=None, container_format=None),
            post(IMPORT, method("web-download", uri="{files}/disk.raw")),
        ],
    ),
    Case(
        "import into an active image",
        [*active(), post(IMPORT, method("web-download", uri="{files}/disk.raw"))],
    ),
    Case(
        "import as a reader",
        [create(), post(IMPORT, method("web-download", uri="{files}/disk.raw")).as_("reader")],
    ),
    Case(
        "import as a stranger",
        [create(), post(IMPORT, method("web-download", uri="{files}/disk.raw")).as_("other")],
    ),
    Case("stage", [create(), stage(), show(), stage()]),
    Case("stage with another content type", [create(), stage(**{"Content-Type": "text/plain"})]),
    Case("stage into an active image", [*active(), stage()]),
    Case("stage as a stranger", [create(), stage().as_("other")]),
    Case(
        "import what is staged",
        [
            create(),
            stage().given(),
            post(IMPORT, method("glance-direct")),
            imported(),
            get("/v2/images/{image}/file"),
        ],
    ),
    Case(
        "import from the web",
        [
            create(),
            post(IMPORT, method("web-download", uri="{files}/disk.raw")),
            imported(),
        ],
    ),
    Case(
        "import what is not there",
        [
            create(),
            post(IMPORT, method("web-download", uri="{files}/nowhere")),
            imported(),
        ],
    ),
    Case(
        "import to another store",
        [
            create(),
            stage().given(),
            post(IMPORT, method("glance-direct") | {"stores": ["slow"]}),
            imported(),
        ],
    ),
    Case(
        "import to all stores",
        [
            create(),
            stage().given(),
            post(IMPORT, method("glance-direct") | {"stores": ["file", "slow"]}),
            imported(),
        ],
    ),
    Case(
        "copy to another store",
        [
            *active(),
            post(IMPORT, method("copy-image") | {"stores": ["slow"]}).as_("admin"),
            imported(),
        ],
    ),
    Case(
        "copy as a member",
        [
            *active(visibility="community"),
            post(IMPORT, method("copy-image") | {"stores": ["slow"]}).as_("other"),
        ],
    ),
    Case("tasks of an image", [create(), get(TASKS)]),
    Case("tasks of no image", [get("/v2/images/99999999-0000-4000-8000-000000000000/tasks")]),
    *[
        Case(f"a task as an administrator with {what}", [post("/v2/tasks", body, who="admin")])
        for what, body in TASK_BODIES.items()
    ],
    Case("a task as a member", [post("/v2/tasks", {"type": "import", "input": {}})]),
    Case(
        "list tasks as a member",
        [
            get("/v2/tasks"),
            get("/v2/tasks?type=import"),
            get("/v2/tasks?status=nonsense"),
            get("/v2/tasks?limit=x"),
            get("/v2/tasks?sort_key=x"),
        ],
    ),
    Case(
        "show no task",
        [get("/v2/tasks/99999999-0000-4000-8000-000000000000", who="admin"), get("/v2/tasks/x")],
    ),
    Case(
        "delete a task",
        [
            delete("/v2/tasks/99999999-0000-4000-8000-000000000000", who="admin"),
            delete("/v2/tasks/x"),
        ],
    ),
    Case(
        "a task of an import",
        [
            create(),
            stage().given(),
            post(IMPORT, method("glance-direct")).given(),
            imported(),
            get(TASKS).until_("tasks.0.status", "success"),
            get(TASKS).as_("reader"),
            get(TASKS).as_("other"),
        ],
    ),
    Case("schemas of tasks", [get("/v2/schemas/task"), get("/v2/schemas/tasks")]),
    Case("a task that imports", [post("/v2/tasks", FROM_WEB, who="admin")]),
]
