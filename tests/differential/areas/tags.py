"""`/v2/images/{id}/tags/{tag}`."""

from differential.cases import Case, create, delete, put, show

CONFIGURATION = "plain"

TAGS = {
    "a word": "red",
    "a space": "a%20b",
    "unicode": "gr%C3%B6%C3%9Fe",
    "an emoji": "%F0%9F%A6%80",
    "a slash": "a%2Fb",
    "a real slash": "a/b",
    "bad UTF-8": "%ff",
    "a zero": "%00",
    "a percent sign": "%25",
    "a question mark": "%3F",
    "a dot": ".",
    "a dot in the middle": "a.b",
    "json": "x.json",
    "a comma": "a,b",
    "a plus": "a+b",
    "a quote": "%22",
    "spaces around": "%20x%20",
    "nothing": "",
    "255 characters": "x" * 255,
    "256 characters": "x" * 256,
}


def tag(name):
    return put("/v2/images/{image}/tags/" + name)


def untag(name):
    return delete("/v2/images/{image}/tags/" + name)


CASES = [
    *[
        Case(f"tag with {what}", [create(), tag(name), show(), untag(name), show()])
        for what, name in TAGS.items()
    ],
    Case("tag twice", [create(), tag("x"), tag("x"), show()]),
    Case("untag what was none", [create(), untag("x")]),
    Case("untag twice", [create(tags=["x"]), untag("x"), untag("x")]),
    Case(
        "tag over the quota",
        [create(tags=[f"t{n}" for n in range(128)]), tag("t1"), tag("one-more")],
    ),
    Case("tag with a body", [create(), put("/v2/images/{image}/tags/x", body=b"x"), show()]),
    Case("tag with a JSON body", [create(), put("/v2/images/{image}/tags/x", {"a": "b"}), show()]),
    *[
        Case(f"tag as {who}", [create(), tag("x").as_(who), untag("x").as_(who)])
        for who in ["admin", "reader", "other", None]
    ],
    Case("tag no image", [put("/v2/images/x/tags/x"), delete("/v2/images/x/tags/x")]),
    Case("tag a protected image", [create(protected=True), tag("x"), untag("x")]),
]
