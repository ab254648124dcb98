"""`/v2/images/{id}/members`, and `/v2/images/{id}/tags`, `/v2/images/{id}/actions`."""

from differential.cases import (
    JSON,
    Case,
    create,
    delete,
    get,
    post,
    put,
    show,
    upload,
)

CONFIGURATION = "plain"

MEMBERS = "/v2/images/{image}/members"
OTHER = MEMBERS + "/{two}"


def share(**options):
    return post(MEMBERS, {"member": "{two}"}, **options)


def shared():
    return [create(), share().given()]


ADDED = {
    "a project": {"member": "{two}"},
    "any text": {"member": "someone"},
    "unicode": {"member": "jemand-ü"},
    "its owner": {"member": "{one}"},
    "an empty text": {"member": ""},
    "a number": {"member": 5},
    "null": {"member": None},
    "a list": {"member": ["x"]},
    "256 characters": {"member": "x" * 256},
    "255 characters": {"member": "x" * 255},
    "more than a member": {"member": "x", "status": "accepted"},
    "nothing": {},
    "another word": {"project": "x"},
    "a list of members": [{"member": "x"}],
    "a text as a body": "x",
}

STATUSES = {
    "accepted": {"status": "accepted"},
    "rejected": {"status": "rejected"},
    "pending": {"status": "pending"},
    "unknown": {"status": "maybe"},
    "empty": {"status": ""},
    "null": {"status": None},
    "a number": {"status": 5},
    "missing": {},
    "in capitals": {"status": "ACCEPTED"},
    "with more": {"status": "accepted", "x": "y"},
    "in a list": [{"status": "accepted"}],
}

CASES = [
    *[
        Case(f"add as a member {what}", [create(), post(MEMBERS, body), get(MEMBERS)])
        for what, body in ADDED.items()
    ],
    *[
        Case(f"answer {what}", [*shared(), put(OTHER, body).as_("other"), get(OTHER).as_("other")])
        for what, body in STATUSES.items()
    ],
    Case("add without a body", [create(), post(MEMBERS)]),
    Case("add by no JSON", [create(), post(MEMBERS, body=b"{", headers={"Content-Type": JSON})]),
    Case("add twice", [*shared(), share()]),
    Case("add again", [*shared(), delete(OTHER).given(), share(), get(MEMBERS)]),
    Case(
        "add 129",
        [
            create(),
            *[post(MEMBERS, {"member": f"m{n}"}).given() for n in range(128)],
            post(MEMBERS, {"member": "last"}),
        ],
    ),
    Case(
        "add to a private image",
        [
            create(visibility="private"),
            share(),
            get(MEMBERS),
            get(OTHER),
            put(OTHER, {"status": "accepted"}),
            delete(OTHER),
        ],
    ),
    Case("add to a community image", [create(visibility="community"), share(), get(MEMBERS)]),
    Case("add as a reader", [create(), share().as_("reader")]),
    Case("add as a stranger", [create(), share().as_("other")]),
    Case("add as a member", [*shared(), post(MEMBERS, {"member": "x"}).as_("other")]),
    Case("add as an administrator", [create(), share().as_("admin")]),
    Case("add without a token", [create(), share().as_(None)]),
    Case(
        "add to no image",
        [post("/v2/images/99999999-0000-4000-8000-000000000000/members", {"member": "x"})],
    ),
    Case("list members", [*shared(), get(MEMBERS)]),
    Case("list no members", [create(), get(MEMBERS)]),
    Case(
        "list members as a member",
        [*shared(), post(MEMBERS, {"member": "third"}).given(), get(MEMBERS).as_("other")],
    ),
    Case("list members as a reader", [*shared(), get(MEMBERS).as_("reader")]),
    Case("list members as a stranger", [create(), get(MEMBERS).as_("other")]),
    Case("list members as an administrator", [*shared(), get(MEMBERS).as_("admin")]),
    Case("list members of no image", [get("/v2/images/x/members")]),
    Case("show a member", [*shared(), get(OTHER)]),
    Case("show a member as itself", [*shared(), get(OTHER).as_("other")]),
    Case(
        "show another member as a member",
        [
            *shared(),
            post(MEMBERS, {"member": "third"}).given(),
            get(MEMBERS + "/third").as_("other"),
        ],
    ),
    Case("show an unknown member", [create(), get(MEMBERS + "/nobody")]),
    Case("answer as the owner", [*shared(), put(OTHER, {"status": "accepted"})]),
    Case(
        "answer as an administrator", [*shared(), put(OTHER, {"status": "accepted"}).as_("admin")]
    ),
    Case(
        "answer as an unknown member",
        [create(), put(MEMBERS + "/nobody", {"status": "accepted"}).as_("admin")],
    ),
    Case("answer without a body", [*shared(), put(OTHER).as_("other")]),
    Case("remove a member", [*shared(), delete(OTHER), get(MEMBERS), delete(OTHER)]),
    Case("remove a member as itself", [*shared(), delete(OTHER).as_("other")]),
    Case("remove a member as a reader", [*shared(), delete(OTHER).as_("reader")]),
    Case("remove a member as an administrator", [*shared(), delete(OTHER).as_("admin")]),
    Case("remove an unknown member", [create(), delete(MEMBERS + "/nobody")]),
    Case("see a shared image", [*shared(), show().as_("other")]),
    Case(
        "change a shared image as a member", [*shared(), delete("/v2/images/{image}").as_("other")]
    ),
    Case(
        "download as a member",
        [
            create(),
            upload(b"x").given(),
            share().given(),
            get("/v2/images/{image}/file").as_("other"),
        ],
    ),
    Case(
        "list what is shared before it is accepted",
        [
            create(family="members1"),
            share().given(),
            get("/v2/images?family=members1").as_("other"),
            get("/v2/images?family=members1&member_status=all").as_("other"),
            get("/v2/images?family=members1&member_status=pending&visibility=shared").as_("other"),
        ],
    ),
    Case(
        "list what is shared once it is accepted",
        [
            create(family="members2"),
            share().given(),
            put(OTHER, {"status": "accepted"}).as_("other").given(),
            get("/v2/images?family=members2").as_("other"),
            get("/v2/images?family=members2&visibility=shared").as_("other"),
            get("/v2/images?family=members2&owner={one}").as_("other"),
        ],
    ),
]
