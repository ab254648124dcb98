"""The cache: `/v2/cache`."""

from differential.cases import Case, Step, active, create, delete, get, post, put

CONFIGURATION = "full"

ENTRY = "/v2/cache/{image}"
NOBODY = "/v2/cache/99999999-0000-4000-8000-000000000000"

CASES = [
    Case("versions with a cache", [get("/versions")]),
    *[
        Case(f"{step} as {who}", [step.as_(who)])
        for step in [
            get("/v2/cache"),
            delete("/v2/cache"),
            put(NOBODY),
            delete(NOBODY),
            get("/v2/cache/nodes/99999999-0000-4000-8000-000000000000"),
            post("/v2/cache/clean"),
            post("/v2/cache/prune"),
        ]
        for who in ["admin", "member", None]
    ],
    Case(
        "queue an active image",
        [
            *active(),
            put(ENTRY).as_("admin"),
            get("/v2/cache").as_("admin").until_("cached_images.0.size", 10),
            delete(ENTRY).as_("admin"),
            get("/v2/cache").as_("admin"),
        ],
    ),
    *[
        Case(f"{method} {path} with a body {how}", [Step(method, path, body=body).as_("admin")])
        for method, path in [
            ("POST", "/v2/cache/clean"),
            ("POST", "/v2/cache/prune"),
            ("PUT", NOBODY),
            ("DELETE", NOBODY),
            ("DELETE", "/v2/cache"),
            ("GET", "/v2/cache"),
        ]
        for how, body in [
            ("of an object", b"{}"),
            ("of text", b"x"),
            ("of a number", b"1"),
            ("in chunks", [b"{", b"}"]),
        ]
    ],
    Case("queue a queued image", [create(), put(ENTRY).as_("admin")]),
    *[
        Case(
            f"clear {target}",
            [delete("/v2/cache", headers={"x-image-cache-clear-target": target}, who="admin")],
        )
        for target in ["cache", "queue", "both", "nonsense", ""]
    ],
]
