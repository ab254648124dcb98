"""The same requests leave the same rows, whichever of the two they were sent to."""

import json
import re
from collections import Counter

from side_by_side.operations import LIVES, Subject, create, done, until

# A namespace with every part that there is.
NAMESPACE = {
    "namespace": "OS::Side",
    "display_name": "Side by side",
    "description": "with größe",
    "visibility": "public",
    "protected": False,
    "resource_type_associations": [{"name": "OS::Glance::Image", "prefix": "hw_"}],
    "properties": {"size": {"title": "Size", "type": "integer", "minimum": 1}},
    "objects": [{"name": "thing", "properties": {"a": {"title": "A", "type": "string"}}}],
    "tags": [{"name": "t"}],
}
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
DEFINITIONS = "/v2/metadefs/namespaces"
CACHED = Subject(3)
ONE = f"{DEFINITIONS}/OS::Side"


def test_the_same_requests_leave_the_same_rows(clouds, kind):
    left = []
    for which in ["glance", "tintype"]:
        cloud = clouds(kind)
        cloud.manage("db", "sync")
        side = getattr(cloud, which)()
        live(side)
        define(side)
        use_cache(side)
        side.stop()
        left.append(rows_of(cloud))
    glance, tintype = left
    assert glance.keys() == tintype.keys() and all(glance.values())
    found = [
        f"{which} alone, {table}: {row}"
        for table in glance.keys() - OF_A_NODE
        for which, one, other in [("Glance", glance, tintype), ("tintype", tintype, glance)]
        for row in (one[table] - other[table])
    ]
    assert not found, "\n".join(found)


def live(side):
    for number, operations in enumerate(LIVES.values()):
        image = Subject(number)
        for operation in [create, *operations]:
            operation(side, image)


def define(side):
    admin = side.api("admin")
    done(admin.post(DEFINITIONS, json=NAMESPACE), 201)
    done(admin.post(f"{ONE}/properties", json={"name": "p", "title": "P", "type": "string"}), 201)
    done(admin.post(f"{ONE}/objects", json={"name": "o", "required": ["a"]}), 201)
    done(admin.post(f"{ONE}/resource_types", json={"name": "OS::Nova::Flavor"}), 201)
    done(admin.post(f"{ONE}/tags", json={"tags": [{"name": "x"}, {"name": "y"}]}), 201)
    done(admin.put(f"{ONE}/tags/x", json={"name": "z"}), 200)
    done(admin.put(ONE, json={"namespace": "OS::Side", "owner": "somebody"}), 200)
    done(admin.delete(f"{ONE}/properties/size"), 204)
    second = {"namespace": "OS::Gone", "tags": [{"name": "gone"}]}
    done(admin.post(DEFINITIONS, json=second), 201)
    done(admin.delete(f"{DEFINITIONS}/OS::Gone"), 204)


def use_cache(side):
    """A download of an image leaves a record of what is cached."""
    done(side.api().get(f"{CACHED.path}/file"), 200)
    cached = lambda: side.api("admin").get("/v2/cache").json()["cached_images"]  # noqa: E731
    until(cached)


# Keys that the database counts up: they say in which order rows came.
COUNTED = {"namespace_id", "resource_type_id", "node_reference_id"}
JSON_COLUMNS = {"meta_data", "json_schema", "input", "result"}


OF_TASKS = {"os_glance_import_task", "os_glance_hash_op_host"}

# What a node's cache has come to hold, and how often it was asked for, is its own.
OF_A_NODE = {"cached_images"}


def rows_of(cloud):
    """How often there is which row, by table. Times, places and ids that are drawn are words."""
    return {
        table: Counter(
            json.dumps(row_of(cloud, table, row), sort_keys=True)
            for row in rows
            if not is_left_behind(table, row)
        )
        for table, rows in cloud.database.rows().items()
    }


def is_left_behind(table, row):
    """Deleted rows that one of the two leaves: Glance of a location whose metadata was replaced,
    which tintype changes where it is, and of the host that digests what was attached; tintype of the
    lock of an import, which Glance removes. And the node that tintype is where it notes uploads."""
    if table == "image_locations":
        return row["deleted"] and "rack" not in row["meta_data"]
    if table == "node_reference":
        return row["node_reference_url"].startswith("tintype:")
    return table == "image_properties" and row["deleted"] and row["name"] in OF_TASKS


def row_of(cloud, table, row):
    row = {name: word(cloud, value) for name, value in row.items() if name not in COUNTED}
    if table not in ("images", "tasks"):
        row.pop("id", None)
    for name in JSON_COLUMNS & row.keys():
        row[name] = json.loads(row[name]) if row[name] else row[name]
    OWN.get(table, lambda _: None)(row)
    return row


def member(row):
    """Glance leaves the time at which a member was removed where it is added again."""
    if not row["deleted"]:
        row.pop("deleted_at")


def image(row):
    """An empty image has a virtual size of 0, in Glance none."""
    if row["size"] == 0:
        row.pop("virtual_size")


def task_info(row):
    """tintype notes which service works; what is said on the way differs."""
    row["input"].pop("worker", None)
    row.pop("message")


OWN = {"image_members": member, "images": image, "task_info": task_info}


def word(cloud, value):
    if not isinstance(value, str):
        return value
    if value.startswith("datetime "):
        return "{time}"
    value = value.replace(str(cloud.folder), "{folder}")
    value = value.replace(str(cloud.files.server_port), "{port}")
    for name, id in cloud.known.items():
        value = value.replace(id, "{" + name + "}")
    subjects = {Subject(number).id for number in range(100)}
    drawn = lambda found: found[0] if found[0] in subjects else "{id}"  # noqa: E731
    return re.sub(rf"^(req-)?{UUID}$|^[0-9a-f]{{32}}$", drawn, value)
