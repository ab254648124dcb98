"""Metadata definitions with every command that `glance` and `openstack` have for them."""

import json
import re

import pytest

from service import unique

SCHEMA = json.dumps({"description": "of the lamp", "enum": ["red", "blue"]})
OBJECT = json.dumps(
    {"description": "a light", "properties": {"bulb": {"type": "string", "title": "Bulb"}}}
)


@pytest.fixture
def glance(admin):
    return lambda *arguments, **options: admin.run("glance", *arguments, **options)


@pytest.fixture
def metadef(admin):
    """`openstack image metadef …`."""
    return lambda *words, **options: admin.run("openstack", "image", "metadef", *words, **options)


def record(table):
    """The property table that `glance` prints; the first line of each value."""
    rows = re.findall(r"^\| (\S+) +\| (.*?) *\|$", table, re.MULTILINE)
    return {name: value for name, value in rows if name != "Property"}


def rows(table):
    """The words in the first column of a table, without its title."""
    return re.findall(r"^\| (\S+) ", table, re.MULTILINE)[1:]


@pytest.fixture
def space(glance):
    """A namespace made by `glance`."""
    name = unique("Space")
    arguments = ["--display-name", "Lamps", "--description", "light", "--visibility", "public"]
    made = record(glance("md-namespace-create", name, *arguments))
    assert (made["namespace"], made["display_name"]) == (name, "Lamps")
    return name


def test_glance_namespaces(glance, space, tmp_path):
    assert space in rows(glance("md-namespace-list", "--page-size", 2, "--visibility", "public"))
    glance("md-namespace-update", space, "--description", "dark", "--protected", "True")
    assert record(glance("md-namespace-show", space))["description"] == "dark"
    assert "403" in glance("md-namespace-delete", space, status=1)
    glance("md-namespace-update", space, "--protected", "False")
    glance("md-namespace-delete", space)
    assert "404" in glance("md-namespace-show", space, status=1)

    name = unique("Imported")
    file = tmp_path / "namespace.json"
    file.write_text(json.dumps({"namespace": name, "tags": [{"name": "one"}]}))
    assert record(glance("md-namespace-import", "--file", file))["namespace"] == name


def test_glance_resource_types(glance, space):
    kind = unique("OS::Test")
    glance("md-resource-type-associate", space, "--name", kind, "--prefix", "lamp_")
    assert kind in rows(glance("md-resource-type-list"))
    assert kind in rows(glance("md-namespace-resource-type-list", space))
    assert space in rows(glance("md-namespace-list", "--resource-types", kind))
    property = ["--name", "colour", "--title", "Colour", "--type", "string", "--schema", "{}"]
    glance("md-property-create", space, *property)
    shown = glance("md-namespace-show", space, "--resource-type", kind)
    assert record(shown)["properties"] == '["lamp_colour"]'
    glance("md-resource-type-deassociate", space, kind)
    assert kind not in glance("md-namespace-resource-type-list", space)


def test_glance_properties(glance, space):
    arguments = ["--name", "colour", "--title", "Colour", "--type", "string", "--schema", SCHEMA]
    made = record(glance("md-property-create", space, *arguments))
    assert (made["name"], made["title"]) == ("colour", "Colour")
    assert "blue" in record(glance("md-property-show", space, "colour"))["enum"]
    glance("md-property-update", space, "colour", "--name", "color", "--title", "Color")
    assert rows(glance("md-property-list", space)) == ["color"]
    glance("md-property-delete", space, "color")
    assert "404" in glance("md-property-show", space, "color", status=1)
    glance("md-property-create", space, *arguments)
    glance("md-namespace-properties-delete", space)
    assert rows(glance("md-property-list", space)) == []


def test_glance_objects(glance, space):
    made = record(glance("md-object-create", space, "--name", "lamp", "--schema", OBJECT))
    assert (made["name"], made["description"]) == ("lamp", "a light")
    assert record(glance("md-object-show", space, "lamp"))["properties"] == '["bulb"]'
    shown = record(glance("md-object-property-show", space, "lamp", "bulb"))
    assert shown["title"] == "Bulb"
    glance("md-object-update", space, "lamp", "--name", "torch")
    assert rows(glance("md-object-list", space)) == ["torch"]
    glance("md-object-delete", space, "torch")
    assert "404" in glance("md-object-show", space, "torch", status=1)
    glance("md-object-create", space, "--name", "lamp", "--schema", OBJECT)
    glance("md-namespace-objects-delete", space)
    assert rows(glance("md-object-list", space)) == []


def test_glance_tags(glance, space):
    assert record(glance("md-tag-create", space, "--name", "one"))["name"] == "one"
    glance("md-tag-update", space, "one", "--name", "two")
    assert record(glance("md-tag-show", space, "two"))["name"] == "two"
    # Its --append ends in an error of its own, before a request, whatever the service.
    glance("md-tag-create-multiple", space, "--names", "three,four")
    assert sorted(rows(glance("md-tag-list", space))) == ["four", "three"]
    glance("md-tag-create-multiple", space, "--names", "five:six", "--delim", ":")
    assert sorted(rows(glance("md-tag-list", space))) == ["five", "six"]
    glance("md-tag-delete", space, "five")
    assert "404" in glance("md-tag-show", space, "five", status=1)
    glance("md-namespace-tags-delete", space)
    assert rows(glance("md-tag-list", space)) == []


def test_openstack_namespaces(metadef):
    name, kind = unique("Space"), unique("OS::Test")
    options = ["--display-name", "Lamps", "--description", "light", "--public", "--unprotected"]
    made = json.loads(metadef("namespace", "create", name, *options, "-f", "json"))
    assert (made["namespace"], made["visibility"]) == (name, "public")

    # The client sends only what it was told, and a change replaces the rest.
    change = ["--display-name", "Torches", "--description", "dark", "--public"]
    metadef("namespace", "set", name, *change, "--protected", "--tag", "one", "--tag", "two")
    shown = json.loads(metadef("namespace", "show", name, "-f", "json"))
    assert (shown["display_name"], shown["protected"]) == ("Torches", True)
    assert sorted(tag["name"] for tag in shown["tags"]) == ["one", "two"]
    metadef("namespace", "unset", name, "--tag", "one", status=1)
    metadef("namespace", "set", name, "--unprotected", "--public")
    metadef("namespace", "unset", name, "--tag", "one")
    metadef("namespace", "unset", name, "--all-tags")
    assert json.loads(metadef("namespace", "show", name, "-f", "json"))["tags"] == []

    metadef("resource", "type", "association", "create", name, kind)
    assert kind in metadef("resource", "type", "list")
    assert kind in metadef("resource", "type", "association", "list", name)
    assert name in metadef("namespace", "list", "--resource-types", kind)
    metadef("resource", "type", "association", "delete", name, kind)
    assert kind not in metadef("resource", "type", "association", "list", name)
    metadef("namespace", "delete", name)
    assert name not in metadef("namespace", "list", "--visibility", "public")


def test_openstack_properties(metadef, space):
    options = ["--name", "colour", "--title", "Colour", "--type", "string", "--schema", SCHEMA]
    made = json.loads(metadef("property", "create", space, *options, "-f", "json"))
    assert made["name"] == "colour"
    change = ["--name", "color", "--title", "Color", "--type", "string", "--schema", "{}"]
    metadef("property", "set", space, "colour", *change)
    shown = json.loads(metadef("property", "show", space, "color", "-f", "json"))
    assert shown["title"] == "Color"
    assert "color" in metadef("property", "list", space)
    metadef("property", "delete", space, "color")
    assert "color" not in metadef("property", "list", space)


def test_openstack_objects(metadef, glance, space):
    made = json.loads(metadef("object", "create", "--namespace", space, "empty", "-f", "json"))
    assert made["name"] == "empty"
    glance("md-object-create", space, "--name", "lamp", "--schema", OBJECT)
    shown = metadef("object", "property", "show", space, "lamp", "bulb", "-f", "json")
    assert json.loads(shown)["title"] == "Bulb"
    metadef("object", "update", space, "lamp", "--name", "torch")
    assert json.loads(metadef("object", "show", space, "torch", "-f", "json"))["name"] == "torch"
    assert "empty" in metadef("object", "list", space)
    metadef("object", "delete", space, "torch", "empty")
    assert "empty" not in metadef("object", "list", space)
