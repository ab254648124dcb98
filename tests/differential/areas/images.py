"""`/v2/images`: creating, showing and deleting records."""

from differential.cases import JSON, Case, Step, active, create, delete, get, post, show

CONFIGURATION = "plain"

LONG = "x" * 256
CHOSEN = "11111111-2222-4333-8444-%012d"

# What a record may be made of, good and bad.
FIELDS = {
    "nothing": {},
    "a name": {"name": "n"},
    "an empty name": {"name": ""},
    "null for a name": {"name": None},
    "a number for a name": {"name": 5},
    "a name of 255": {"name": "x" * 255},
    "a name of 256": {"name": LONG},
    "a name in unicode": {"name": "Übung 🦀 \u0000x".replace("\u0000", "")},
    "private": {"visibility": "private"},
    "shared": {"visibility": "shared"},
    "community": {"visibility": "community"},
    "public": {"visibility": "public"},
    "an unknown visibility": {"visibility": "secret"},
    "null for a visibility": {"visibility": None},
    "protected": {"protected": True},
    "protected by a text": {"protected": "true"},
    "null for protected": {"protected": None},
    "hidden": {"os_hidden": True},
    "formats": {"disk_format": "qcow2", "container_format": "bare"},
    "null formats": {"disk_format": None, "container_format": None},
    "an unknown disk format": {"disk_format": "floppy"},
    "an unknown container": {"container_format": "box"},
    "an empty disk format": {"disk_format": ""},
    "the format gpt": {"disk_format": "gpt", "container_format": "bare"},
    "the format luks": {"disk_format": "luks", "container_format": "bare"},
    "ami with another container": {"disk_format": "ami", "container_format": "bare"},
    "ami alone": {"disk_format": "ami"},
    "min_disk and min_ram": {"min_disk": 5, "min_ram": 512},
    "a negative min_disk": {"min_disk": -1},
    "a min_disk of 2^31-1": {"min_disk": 2147483647},
    "a min_disk of 2^31": {"min_disk": 2147483648},
    "a min_ram of 2^63": {"min_ram": 2**63},
    "a text for min_ram": {"min_ram": "5"},
    "a fraction for min_ram": {"min_ram": 5.5},
    "a whole float for min_ram": {"min_ram": 5.0},
    "true for min_ram": {"min_ram": True},
    "null for min_ram": {"min_ram": None},
    "tags": {"tags": ["a", "b", "a"]},
    "no tags": {"tags": []},
    "an empty tag": {"tags": [""]},
    "a tag of 256": {"tags": [LONG]},
    "a number for a tag": {"tags": [1]},
    "a text for tags": {"tags": "a"},
    "null for tags": {"tags": None},
    "a custom property": {"os_distro": "debian"},
    "an empty custom property": {"os_distro": ""},
    "a number for a custom property": {"os_distro": 5},
    "null for a custom property": {"os_distro": None},
    "a list for a custom property": {"os_distro": ["debian"]},
    "an object for a custom property": {"os_distro": {"a": "b"}},
    "an unnamed property": {"": "x"},
    "a property's name of 255": {"p" * 255: "x"},
    "a property's name of 256": {"p" * 256: "x"},
    "a property's name in unicode": {"größe": "ü"},
    "a property's name with spaces": {" a b ": "x"},
    "a property's name with a slash": {"a/b": "x"},
    "a schema's known property": {"architecture": "x86_64"},
    "a number for a known property": {"architecture": 64},
    "a kernel's id": {"kernel_id": "00000000-0000-4000-8000-000000000000"},
    "a kernel's id that is none": {"kernel_id": "vmlinuz"},
    "null for a kernel's id": {"kernel_id": None},
    "an owner": {"owner": "someone"},
    "its own owner": {"owner": "{one}"},
    "null for an owner": {"owner": None},
    "an owner of 256": {"owner": LONG},
    "129 properties": {f"p{n}": "x" for n in range(129)},
    "128 properties": {f"p{n}": "x" for n in range(128)},
    "129 tags": {"tags": [f"t{n}" for n in range(129)]},
    "an id": {"id": CHOSEN % 1},
    "an id in capitals": {"id": "AAAAAAAA-2222-4333-8444-000000000002"},
    "an id without dashes": {"id": "aaaaaaaa222243338444000000000003"},
    "an id that is none": {"id": "x"},
    "an empty id": {"id": ""},
    "a number for an id": {"id": 5},
    "null for an id": {"id": None},
    "location": {"location": "file:///x"},
    "locations": {"locations": [{"url": "file:///x", "metadata": {}}]},
    "no locations": {"locations": []},
    "deleted": {"deleted": "x"},
    "deleted_at": {"deleted_at": "x"},
    "os_glance_x": {"os_glance_x": "x"},
    "os_glance": {"os_glance": "x"},
    "a status": {"status": "active"},
    "a status that is none": {"status": "x"},
    "a checksum": {"checksum": "d41d8cd98f00b204e9800998ecf8427e"},
    "a size": {"size": 5},
    "a virtual size": {"virtual_size": 5},
    "created_at": {"created_at": "2020-01-01T00:00:00Z"},
    "updated_at": {"updated_at": "2020-01-01T00:00:00Z"},
    "os_hash_algo": {"os_hash_algo": "md5"},
    "os_hash_value": {"os_hash_value": "aa"},
    "direct_url": {"direct_url": "x"},
    "self": {"self": "x"},
    "file": {"file": "x"},
    "schema": {"schema": "x"},
    "stores": {"stores": "x"},
    "a value of a kilobyte": {"p": "x" * 1024},
    "a value of 65535": {"p": "x" * 65535},
}

BODIES = {
    "no body": None,
    "an empty body": b"",
    "no JSON": b"{",
    "a text": b'"x"',
    "a number": b"5",
    "null": b"null",
    "a list": b"[]",
    "a list of objects": b'[{"name": "x"}]',
    "twice the same name": b'{"name": "a", "name": "b"}',
    "bad UTF-8": b'{"name": "\xff"}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a zero character": b'{"os_distro": "a\\u0000b"}',
    "NaN": b'{"min_ram": NaN}',
    "a byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "deep nesting": b"[" * 500 + b"]" * 500,
    "something behind": b'{"name": "x"} x',
    "white space": b' \n{"name": "x"}\n ',
}

CREATED = [
    Case(f"create with {what}", [post("/v2/images", fields).saves(image="id")])
    for what, fields in FIELDS.items()
]
CREATED_BY_ADMIN = [
    Case(f"create as an administrator with {what}", [post("/v2/images", fields, who="admin")])
    for what, fields in {
        "public": {"visibility": "public"},
        "an owner": {"owner": "someone"},
        "null for an owner": {"owner": None},
        "129 tags": {"tags": [f"t{n}" for n in range(129)]},
    }.items()
]
CREATED_RAW = [
    Case(
        f"create by {what}",
        [post("/v2/images", body=body, headers={"Content-Type": JSON})],
    )
    for what, body in BODIES.items()
]
CONTENT_TYPES = [
    Case(
        f"create with the content type {kind}",
        [post("/v2/images", {"name": "n"}, headers={"Content-Type": kind})],
    )
    for kind in [
        None,
        "",
        "text/plain",
        "application/xml",
        "application/octet-stream",
        "application/json; charset=utf-8",
        "application/json;charset=latin-1",
        "APPLICATION/JSON",
    ]
]

IDS = {
    "unknown": "99999999-2222-4333-8444-000000000000",
    "no UUID": "x",
    "a UUID in capitals": "ABCDEFAB-2222-4333-8444-000000000000",
    "a quote": "%27%20OR%201=1",
    "unicode": "%C3%BC",
    "bad UTF-8": "%ff",
    "a zero": "%00",
    "a slash": "a%2Fb",
    "dots": "..",
    "a space": "%20",
    "long": "x" * 2000,
}
ODD_IDS = [
    Case(f"{method} an image whose id is {what}", [Step(method, f"/v2/images/{id}")])
    for what, id in IDS.items()
    for method in ["GET", "DELETE"]
]

OTHERS = [
    Case("show an image", [create(), show()]),
    Case("show an image by a reader", [create(), show().as_("reader")]),
    Case("show an image by a stranger", [create(), show().as_("other")]),
    Case("show an image by an administrator", [create(), show().as_("admin")]),
    Case("show an image without a token", [create(), show().as_(None)]),
    Case(
        "show a community image by a stranger",
        [create(visibility="community"), show().as_("other")],
    ),
    Case("show an active image", [*active(), show()]),
    Case(
        "show an image in capitals",
        [create(), get("/v2/images/{image}".upper().replace("{IMAGE}", "{image}"))],
    ),
    Case("show an image with a slash", [create(), get("/v2/images/{image}/")]),
    Case("show an image with a query", [create(), get("/v2/images/{image}?x=y")]),
    Case("create as a reader", [post("/v2/images", {"name": "n"}, who="reader")]),
    Case("create without a token", [post("/v2/images", {"name": "n"}, who=None)]),
    Case(
        "create with a token that is none",
        [post("/v2/images", {"name": "n"}, who=None, headers={"X-Auth-Token": "nonsense"})],
    ),
    Case(
        "create one id twice",
        [
            post("/v2/images", {"id": CHOSEN % 7}),
            post("/v2/images", {"id": CHOSEN % 7}),
            delete(f"/v2/images/{CHOSEN % 7}"),
            post("/v2/images", {"id": CHOSEN % 7}),
        ],
    ),
    Case(
        "create one's id as a stranger",
        [
            post("/v2/images", {"id": CHOSEN % 8}),
            post("/v2/images", {"id": CHOSEN % 8}).as_("other"),
        ],
    ),
    Case("delete", [create(), delete("/v2/images/{image}"), show(), delete("/v2/images/{image}")]),
    Case("delete an active image", [*active(), delete("/v2/images/{image}"), show()]),
    Case("delete as a stranger", [create(), delete("/v2/images/{image}").as_("other")]),
    Case("delete as a reader", [create(), delete("/v2/images/{image}").as_("reader")]),
    Case(
        "delete a community image as a stranger",
        [create(visibility="community"), delete("/v2/images/{image}").as_("other")],
    ),
    Case("delete as an administrator", [create(), delete("/v2/images/{image}").as_("admin")]),
    Case("delete a protected image", [create(protected=True), delete("/v2/images/{image}")]),
    Case(
        "delete a protected image as an administrator",
        [create(protected=True), delete("/v2/images/{image}").as_("admin")],
    ),
    Case("delete with a body", [create(), delete("/v2/images/{image}", body=b"x")]),
    Case("show with a body", [create(), get("/v2/images/{image}", body=b"{}")]),
]

CASES = CREATED + CREATED_BY_ADMIN + CREATED_RAW + CONTENT_TYPES + ODD_IDS + OTHERS
