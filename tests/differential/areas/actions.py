"""`/v2/images/{id}/actions/…`."""

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

CONFIGURATION = "plain"

FILE = "/v2/images/{image}/file"


def act(action, **options):
    return post("/v2/images/{image}/actions/" + action, **options)


def closed():
    return [*active(), act("deactivate").given()]


CASES = [
    Case("deactivate", [*active(), act("deactivate"), show(), show().as_("admin")]),
    Case("deactivate twice", [*closed(), act("deactivate"), show()]),
    Case("deactivate a queued image", [create(), act("deactivate"), show()]),
    Case("reactivate", [*closed(), act("reactivate"), show(), get(FILE)]),
    Case("reactivate an active image", [*active(), act("reactivate"), show()]),
    Case("reactivate a queued image", [create(), act("reactivate"), show()]),
    Case("download what is closed", [*closed(), get(FILE), get(FILE).as_("admin")]),
    Case("upload to what is closed", [*closed(), upload(b"x")]),
    Case(
        "change what is closed",
        [*closed(), change([{"op": "replace", "path": "/name", "value": "m"}])],
    ),
    Case("delete what is closed", [*closed(), delete("/v2/images/{image}"), show()]),
    Case(
        "list what is closed",
        [*active(family="closed"), act("deactivate").given(), get("/v2/images?family=closed")],
    ),
    Case("an unknown action", [*active(), act("explode")]),
    Case("no action", [*active(), act("")]),
    Case("deactivate with a body", [*active(), act("deactivate", json={"a": "b"})]),
    Case("deactivate with an empty JSON body", [*active(), act("deactivate", json={})]),
    *[
        Case(f"{action} as {who}", [*steps(), act(action).as_(who)])
        for action, steps in [("deactivate", active), ("reactivate", closed)]
        for who in ["admin", "reader", "other", None]
    ],
    Case(
        "deactivate no image",
        [post("/v2/images/x/actions/deactivate"), post("/v2/images/x/actions/reactivate")],
    ),
    Case(
        "deactivate a community image as a stranger",
        [*active(visibility="community"), act("deactivate").as_("other")],
    ),
]
