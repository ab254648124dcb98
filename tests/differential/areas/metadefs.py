"""Metadata definitions: `/v2/metadefs` and their schemas."""

from differential.cases import Case, delete, get, post, put

CONFIGURATION = "plain"

ALL = "/v2/metadefs/namespaces"
ONE = ALL + "/{namespace}"
SCHEMAS = [
    "namespace",
    "namespaces",
    "object",
    "objects",
    "property",
    "properties",
    "resource_type",
    "resource_types",
    "tag",
    "tags",
]


def namespace(name, **fields):
    fields = {"namespace": name, "visibility": "public"} | fields
    return post(ALL, fields, who="admin").saves(namespace="namespace")


NAMESPACES = {
    "a name": {"namespace": "a-name"},
    "no name": {},
    "an empty name": {"namespace": ""},
    "a number for a name": {"namespace": 5},
    "a long name": {"namespace": "x" * 81},
    "an unknown visibility": {"namespace": "v", "visibility": "shared"},
    "protection": {"namespace": "p", "protected": True},
    "a text for protection": {"namespace": "pt", "protected": "yes"},
    "an unknown field": {"namespace": "u", "colour": "red"},
    "an owner": {"namespace": "o", "owner": "{one}"},
    "everything": {
        "namespace": "whole",
        "display_name": "Whole",
        "description": "all of it",
        "resource_type_associations": [{"name": "OS::Glance::Image", "prefix": "hw_"}],
        "properties": {"size": {"title": "Size", "type": "integer"}},
        "objects": [{"name": "thing", "properties": {"a": {"title": "A", "type": "string"}}}],
        "tags": [{"name": "t"}],
    },
    "a list": [],
}

PARTS = {
    "properties": ({"name": "p", "title": "P", "type": "string"}, "p"),
    "objects": ({"name": "o", "properties": {"a": {"title": "A", "type": "string"}}}, "o"),
}

QUERIES = [
    "limit=1",
    "limit=0",
    "limit=x",
    "limit=-1",
    "sort_key=namespace&sort_dir=asc&limit=3",
    "sort_key=x",
    "sort_dir=x",
    "visibility=public&limit=2",
    "visibility=x",
    "resource_types=OS::Glance::Image&limit=2",
    "marker=nowhere",
    "protected=true",
    "unknown=x&limit=1",
]

CASES = [
    *[Case(f"{name} is described", [get(f"/v2/schemas/metadefs/{name}")]) for name in SCHEMAS],
    *[Case(f"namespaces by {query}", [get(f"{ALL}?{query}")]) for query in QUERIES],
    *[
        Case(f"namespace with {what}", [post(ALL, body, who="admin")])
        for what, body in NAMESPACES.items()
    ],
    Case("namespace as a member", [post(ALL, {"namespace": "mine"})]),
    Case("namespace without a token", [get(ALL, who=None)]),
    Case("namespace twice", [namespace("twice"), namespace("twice")]),
    Case(
        "namespace that is shipped",
        [
            get(ALL + "/OS::Compute::Quota"),
            get(ALL + "/OS::Compute::Quota?resource_type=OS::Nova::Flavor"),
            get(ALL + "/OS::Compute::Quota/properties"),
            get(ALL + "/OS::Compute::Quota/resource_types"),
        ],
    ),
    Case(
        "namespace that is not there",
        [
            get(ALL + "/nowhere"),
            delete(ALL + "/nowhere", who="admin"),
            put(ALL + "/nowhere", {"namespace": "x"}, who="admin"),
        ],
    ),
    Case(
        "namespace changed",
        [
            namespace("changed").given(),
            put(ONE, {"namespace": "changed2", "description": "d"}, who="admin"),
            get(ALL + "/changed2"),
            get(ONE),
        ],
    ),
    Case("namespace deleted", [namespace("deleted").given(), delete(ONE, who="admin"), get(ONE)]),
    Case(
        "namespace protected",
        [namespace("guarded", protected=True).given(), delete(ONE, who="admin")],
    ),
    Case(
        "namespace that is private",
        [namespace("hidden", visibility="private").given(), get(ONE), get(ONE).as_("admin")],
    ),
    *[
        Case(
            f"{kind} from first to last",
            [
                namespace(f"with-{kind}").given(),
                post(f"{ONE}/{kind}", body, who="admin"),
                post(f"{ONE}/{kind}", body, who="admin"),
                post(f"{ONE}/{kind}", {}, who="admin"),
                post(f"{ONE}/{kind}", body),
                get(f"{ONE}/{kind}"),
                get(f"{ONE}/{kind}/{name}"),
                get(f"{ONE}/{kind}/nothing"),
                put(f"{ONE}/{kind}/{name}", body | {"description": "new"}, who="admin"),
                put(f"{ONE}/{kind}/nothing", body, who="admin"),
                delete(f"{ONE}/{kind}/{name}", who="admin"),
                delete(f"{ONE}/{kind}/{name}", who="admin"),
                delete(f"{ONE}/{kind}", who="admin"),
            ],
        )
        for kind, (body, name) in PARTS.items()
    ],
    Case(
        "tags from first to last",
        [
            namespace("with-tags").given(),
            post(f"{ONE}/tags/one", who="admin"),
            post(f"{ONE}/tags/one", who="admin"),
            post(f"{ONE}/tags", {"tags": [{"name": "two"}, {"name": "three"}]}, who="admin"),
            post(f"{ONE}/tags", {"tags": "x"}, who="admin"),
            get(f"{ONE}/tags"),
            get(f"{ONE}/tags?limit=1"),
            get(f"{ONE}/tags/two"),
            get(f"{ONE}/tags/nothing"),
            put(f"{ONE}/tags/two", {"name": "zwei"}, who="admin"),
            delete(f"{ONE}/tags/zwei", who="admin"),
            delete(f"{ONE}/tags", who="admin"),
            get(f"{ONE}/tags"),
        ],
    ),
    Case(
        "resource types from first to last",
        [
            namespace("with-types").given(),
            get("/v2/metadefs/resource_types"),
            post(
                f"{ONE}/resource_types", {"name": "OS::Nova::Server", "prefix": "x_"}, who="admin"
            ),
            post(f"{ONE}/resource_types", {"name": "OS::Nova::Server"}, who="admin"),
            post(f"{ONE}/resource_types", {}, who="admin"),
            get(f"{ONE}/resource_types"),
            delete(f"{ONE}/resource_types/OS::Nova::Server", who="admin"),
            delete(f"{ONE}/resource_types/nothing", who="admin"),
        ],
    ),
]
