"""Several stores and locations: `/v2/info/stores`, `/v2/stores/…`, `/v2/images/{id}/locations`."""

import hashlib

from differential.cases import (
    Case,
    active,
    change,
    create,
    delete,
    get,
    post,
    show,
    upload,
)

CONFIGURATION = "full"

LOCATIONS = "/v2/images/{image}/locations"
WEB = {"url": "{files}/disk.raw", "metadata": {}}

URLS = {
    "a file": "file:///etc/passwd",
    "the web": "{files}/disk.raw",
    "an unknown scheme": "nothing://x",
    "no scheme": "x",
    "nothing": "",
    "another host": "http://192.0.2.1/x",
    "a host without a scheme": "//192.0.2.1/x",
    "what is not there": "{files}/nowhere",
}

DIGEST = hashlib.sha512(b"bytes from the web\n" * 100).hexdigest()


def validated(digest):
    """The body that adds a location whose bytes have this digest."""
    hashes = {"os_hash_algo": "sha512", "os_hash_value": digest}
    return {"url": WEB["url"], "validation_data": hashes}


def settled():
    """The image once nothing is done with it any more."""
    return show().until_("os_glance_import_task", None)


CASES = [
    Case("list stores", [get("/v2/info/stores"), get("/v2/info/stores").as_("admin")]),
    Case("list stores without a token", [get("/v2/info/stores", who=None)]),
    Case("detail as an administrator", [get("/v2/info/stores/detail").as_("admin")]),
    Case(
        "download from a chosen store",
        [
            *active(),
            get("/v2/images/{image}/file", headers={"X-Image-Meta-Store": "file"}),
            get("/v2/images/{image}/file", headers={"X-Image-Meta-Store": "slow"}),
            get("/v2/images/{image}/file", headers={"X-Image-Meta-Store": "nowhere"}),
        ],
    ),
    Case(
        "add a location with its hash",
        [
            create(),
            post(LOCATIONS, validated(DIGEST)),
            settled(),
            get(LOCATIONS).as_("admin"),
            get("/v2/images/{image}/tasks").until_("tasks.0.status", "success"),
        ],
    ),
    Case(
        "add a location without a hash",
        [
            create(),
            post(LOCATIONS, {"url": WEB["url"]}).given(),
            show().until_("os_hash_value", DIGEST).given(),
            settled(),
        ],
    ),
    Case(
        "add a location with another hash",
        [
            create(),
            post(LOCATIONS, validated("0" * 128)),
            get("/v2/images/{image}/tasks").until_("tasks.0.status", "failure"),
            settled(),
        ],
    ),
    Case("detail as a member", [get("/v2/info/stores/detail")]),
    Case(
        "upload to the slow store",
        [create(), upload(b"x", **{"X-Image-Meta-Store": "slow"}), show()],
    ),
    Case(
        "upload to a read-only store",
        [create(), upload(b"x", **{"X-Image-Meta-Store": "web"}), show()],
    ),
    Case(
        "upload to an unknown store",
        [create(), upload(b"x", **{"X-Image-Meta-Store": "nowhere"}), show()],
    ),
    Case(
        "delete from a store", [*active(), delete("/v2/stores/file/{image}").as_("admin"), show()]
    ),
    Case("delete from a store as a member", [*active(), delete("/v2/stores/file/{image}"), show()]),
    Case(
        "delete from a store that has it not",
        [*active(), delete("/v2/stores/slow/{image}").as_("admin")],
    ),
    Case(
        "delete from an unknown store",
        [*active(), delete("/v2/stores/nowhere/{image}").as_("admin")],
    ),
    Case(
        "delete no image from a store",
        [delete("/v2/stores/file/99999999-0000-4000-8000-000000000000").as_("admin")],
    ),
    Case("locations of an active image", [*active(), get(LOCATIONS), get(LOCATIONS).as_("admin")]),
    Case("locations of a queued image", [create(), get(LOCATIONS), get(LOCATIONS).as_("admin")]),
    *[
        Case(f"add as a location {what}", [create(), post(LOCATIONS, {"url": url}), settled()])
        for what, url in URLS.items()
    ],
    Case("add a location without a url", [create(), post(LOCATIONS, {})]),
    Case(
        "add a location with a bad hash",
        [
            create(),
            post(
                LOCATIONS,
                {
                    "url": "{files}/disk.raw",
                    "validation_data": {"os_hash_algo": "sha512", "os_hash_value": "x"},
                },
            ),
        ],
    ),
    Case(
        "add a location to an active image",
        [*active(), post(LOCATIONS, {"url": "{files}/disk.raw"})],
    ),
    *[
        Case(
            f"patch in as a location {what}",
            [
                create(),
                change(
                    [{"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}}}]
                ),
                show(),
            ],
        )
        for what, url in URLS.items()
    ],
    Case(
        "patch the locations whole",
        [create(), change([{"op": "replace", "path": "/locations", "value": [WEB]}]), show()],
    ),
    Case(
        "patch the locations away",
        [*active(), change([{"op": "replace", "path": "/locations", "value": []}]), show()],
    ),
    Case(
        "patch the last location away",
        [*active(), change([{"op": "remove", "path": "/locations/0"}]).as_("admin"), show()],
    ),
    Case(
        "patch a location away that is none",
        [*active(), change([{"op": "remove", "path": "/locations/7"}]).as_("admin")],
    ),
    Case("create with locations", [post("/v2/images", {"locations": [WEB]})]),
    Case(
        "patch a location that is no object",
        [create(), change([{"op": "add", "path": "/locations/-", "value": "x"}])],
    ),
]
