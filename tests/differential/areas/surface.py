"""What is around the resources: schemas, versions, methods, paths, the forms of errors."""

from differential.cases import Case, Step, get, post

CONFIGURATION = "plain"

SCHEMAS = ["image", "images", "member", "members"]
METADEFS = ["namespace", "object", "property", "resource_type", "tag"]
PLURALS = ["namespaces", "objects", "properties", "resource_types", "tags"]

SOME = "99999999-0000-4000-8000-000000000000"
PATHS = [
    "/v2/images?name=nobody",
    f"/v2/images/{SOME}",
    f"/v2/images/{SOME}/file",
    f"/v2/images/{SOME}/members",
    f"/v2/images/{SOME}/members/x",
    f"/v2/images/{SOME}/tags/x",
    f"/v2/images/{SOME}/actions/deactivate",
    f"/v2/images/{SOME}/actions/reactivate",
    "/v2/schemas/image",
    "/v2/schemas/members",
    "/v2/info/import",
    "/v2/info/stores",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]

ELSEWHERE = """
/
/versions
/versions/
/versions/x
/v1
/v1/images
/v1.0/images
/v2
/v2/
/v2.0/images
/v2.1/images
/v2.15/images
/v2.99/images
/v3
/v2/nothing
/v2/images/x/nothing
/v2/schemas
/v2/schemas/nothing
/v2/info
/v2//images
//v2/images
/V2/images
/v2/Images
/v2/images.json
/nothing
/favicon.ico
/healthcheck
/image/v2/images
""".strip().splitlines()

FORMS = [
    None,
    "*/*",
    "text/html",
    "text/plain",
    "application/json",
    "application/xml",
    "image/png",
    "text/html;q=0.5, application/json",
    "application/json;q=0.5, text/html",
    "application/*",
    "text/*",
    "nonsense",
    "",
]

# Methods and paths that no body is expected at, or only by some methods.
BODIES = """
GET /v2/images?name=nobody
GET /v2/metadefs/namespaces?visibility=private
GET /v2/metadefs/namespaces/nothing
GET /v2/metadefs/namespaces/nothing/objects
GET /v2/metadefs/namespaces/nothing/properties
GET /v2/metadefs/namespaces/nothing/properties/x
GET /v2/metadefs/namespaces/nothing/tags
GET /v2/metadefs/namespaces/nothing/tags/x
GET /v2/schemas/members
GET /v2/info/import
GET /v2/tasks?status=failure
DELETE /v2/images/{some}
DELETE /v2/images/{some}/tags/x
DELETE /v2/metadefs/namespaces/nothing
DELETE /v2/metadefs/namespaces/nothing/tags/x
POST /v2/images/{some}/actions/deactivate
POST /v2/metadefs/namespaces/nothing/tags/x
PUT /v2/images/{some}/tags/x
""".strip().splitlines()

CASES = [
    *[
        Case(f"{line} with a body {how}", [Step(*line.format(some=SOME).split(), body=body)])
        for line in BODIES
        for how, body in [("of known length", b"{}"), ("in chunks", [b"{", b"}"])]
    ],
    *[Case(f"schema {name}", [get(f"/v2/schemas/{name}")]) for name in SCHEMAS],
    Case("schema without a token", [get("/v2/schemas/image", who=None)]),
    Case("schema as a reader", [get("/v2/schemas/image", who="reader")]),
    *[Case(f"{path}", [get(path)]) for path in ELSEWHERE],
    *[Case(f"{path} without a token", [get(path, who=None)]) for path in ELSEWHERE],
    *[
        Case(f"method {method} on {path}", [Step(method, path)])
        for path in PATHS
        for method in METHODS
    ],
    *[
        Case(
            f"an error where the client accepts {form}",
            [get(f"/v2/images/{SOME}", headers={"Accept": form})],
        )
        for form in FORMS
    ],
    *[
        Case(
            f"bad input where the client accepts {form}",
            [
                get("/v2/images?limit=%3Cx%3E%27%22%26", headers={"Accept": form}),
                get("/v2/images/%3Cb%3E%27%22%26", headers={"Accept": form}),
            ],
        )
        for form in ["text/html", "application/json", "text/plain"]
    ],
    Case("versions in HTML", [get("/versions", headers={"Accept": "text/html"})]),
    Case("versions by POST", [post("/versions", {}), post("/", {})]),
    Case(
        "a request id of the client's",
        [get(f"/v2/images/{SOME}", headers={"X-Openstack-Request-Id": "req-mine"})],
    ),
    Case("stores", [get("/v2/info/stores")]),
    Case("import methods", [get("/v2/info/import")]),
    Case("import methods without a token", [get("/v2/info/import", who=None)]),
]
