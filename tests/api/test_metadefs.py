"""`/v2/metadefs`: what a request may say, what it is answered, and who sees what."""

import json
import subprocess
from urllib.parse import quote

import pytest

from service import TINTYPE, Account, unique

ROOT = "/v2/metadefs/namespaces"
STRING = {"type": "string", "title": "A property"}


@pytest.fixture
def make(api):
    """Creates namespaces, with what is said; returns their paths."""

    def make(name=None, **fields):
        fields = {"namespace": name or unique("Space")} | fields
        answer = api.post(ROOT, json=fields)
        assert answer.status_code == 201, answer.text
        return f"{ROOT}/{quote(fields['namespace'])}"

    return make


@pytest.fixture
def full(make):
    """A namespace with one of everything."""
    return make(
        tags=[{"name": "one"}],
        properties={"colour": STRING | {"default": True}},
        objects=[{"name": "lamp", "required": ["bulb"], "properties": {"bulb": STRING}}],
        resource_type_associations=[{"name": "OS::Test::Lamp", "prefix": "lamp_"}],
    )


def names(answer, key):
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()[key]]


def test_a_namespace_is_shown_as_it_was_made(api):
    name = unique("Made")
    fields = {
        "namespace": name,
        "display_name": "Made",
        "description": "for a test",
        "visibility": "public",
        "protected": False,
        "properties": {"colour": STRING | {"enum": ["red"], "minimum": 1.9, "default": 7}},
        "tags": [{"name": "one"}],
    }
    made = api.post(ROOT, json=fields)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == f"{api.url}{ROOT}/{name}"
    shown = api.get(f"{ROOT}/{name}").json()
    assert shown == made.json()
    normal = STRING | {"enum": ["red"], "minimum": 1, "default": "7"}
    expected = fields | {"properties": {"colour": normal}}
    expected |= {"self": f"{ROOT}/{name}", "schema": "/v2/schemas/metadefs/namespace"}
    times_and_owner = {"created_at", "updated_at", "owner"}
    assert {key: shown[key] for key in shown.keys() - times_and_owner} == expected
    assert times_and_owner <= shown.keys()


def test_names_may_hold_what_urls_escape(api, make):
    name = unique("a b/ü?#")
    path = make(name)
    assert api.get(f"{ROOT}/{quote(name, safe='')}").json()["namespace"] == name
    assert path


def test_a_change_replaces_everything_but_the_contents(api, full):
    name = unique("Renamed")
    changed = api.put(full, json={"namespace": name, "description": "new", "tags": []})
    assert changed.status_code == 200, changed.text
    assert api.get(full).status_code == 404
    shown = api.get(f"{ROOT}/{name}").json()
    assert (shown["description"], shown["visibility"]) == ("new", "private")
    assert [tag["name"] for tag in shown["tags"]] == ["one"]


def test_of_a_creation_that_fails_nothing_is_left(api):
    name = unique("Twice")
    twice = [{"name": "one"}, {"name": "one"}]
    answer = api.post(ROOT, json={"namespace": name, "tags": twice})
    assert answer.status_code == 409, answer.text
    assert api.get(f"{ROOT}/{name}").status_code == 404


def test_prefixes_are_those_of_the_resource_type(api, full):
    shown = api.get(f"{full}?resource_type=OS::Test::Lamp").json()
    assert list(shown["properties"]) == ["lamp_colour"]
    assert list(shown["objects"][0]["properties"]) == ["lamp_bulb"]
    assert shown["objects"][0]["required"] == ["lamp_bulb"]
    path = f"{full}/properties"
    with_type = "?resource_type=OS::Test::Lamp"
    assert api.get(f"{path}/lamp_colour{with_type}").json()["name"] == "colour"
    assert api.get(f"{path}/colour{with_type}").status_code == 404
    assert api.get(f"{path}/colour?resource_type=OS::Test::Other").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"namespace": 7},
        {"namespace": ""},
        {"namespace": "x" * 81},
        {"display_name": "x" * 81},
        {"description": "x" * 501},
        {"visibility": "shared"},
        {"protected": "yes"},
        {"colour": "red"},
        {"tags": ["one"]},
        {"tags": [{}]},
        {"tags": [{"name": "x" * 81}]},
        {"objects": [{"name": "o", "colour": "red"}]},
        {"objects": [{"name": "o", "required": ["a", "a"]}]},
        {"properties": {"p": {"type": "string"}}},
        {"properties": {"p": STRING | {"type": "text"}}},
        {"properties": {"p": STRING | {"enum": [1]}}},
        {"properties": {"p": STRING | {"maxLength": -1}}},
        {"properties": {"p": STRING | {"items": {}}}},
        {"properties": {"p": STRING | {"colour": "red"}}},
        {"resource_type_associations": [{"prefix": "x"}]},
    ],
)
def test_what_a_namespace_may_not_say_is_refused(api, fields):
    name = unique("Bad")
    body = {"namespace": name} | fields if fields else {}
    assert api.post(ROOT, json=body).status_code == 400
    assert api.get(f"{ROOT}/{name}").status_code == 404


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"namespace"'])
def test_a_body_that_is_no_object_is_refused(api, make, text):
    path = make()
    headers = {"Content-Type": "application/json"}
    for method, target in [
        ("POST", ROOT),
        ("PUT", path),
        ("POST", f"{path}/objects"),
        ("POST", f"{path}/properties"),
        ("POST", f"{path}/tags"),
        ("POST", f"{path}/resource_types"),
    ]:
        answer = api.request(method, target, data=text, headers=headers)
        assert answer.status_code == 400, f"{method} {target}"


@pytest.mark.parametrize("field", ["self", "schema", "created_at", "updated_at"])
def test_what_the_service_writes_is_read_only(api, field):
    body = {"namespace": unique("ReadOnly"), field: "2026-01-01T00:00:00Z"}
    answer = api.post(ROOT, json=body)
    assert answer.status_code == 403
    assert f"Attribute '{field}' is read-only." in answer.json()["message"].replace("&#x27;", "'")


def test_a_body_where_none_is_expected_is_refused(api, full):
    for method, target in [
        ("GET", full),
        ("DELETE", full),
        ("DELETE", f"{full}/tags"),
        ("DELETE", f"{full}/objects/lamp"),
        ("POST", f"{full}/tags/two"),
        ("GET", "/v2/metadefs/resource_types"),
    ]:
        assert api.request(method, target, data="{}").status_code == 400, f"{method} {target}"
    assert api.get(full).json()["tags"] == [{"name": "one"}]


@pytest.mark.parametrize(
    "target, fields",
    [
        ("objects", {"name": "lamp"}),
        ("properties", STRING | {"name": "colour"}),
        ("tags/one", None),
        ("resource_types", {"name": "OS::Test::Lamp"}),
    ],
)
def test_a_name_that_is_taken_is_a_conflict(api, full, target, fields):
    assert api.post(f"{full}/{target}", json=fields).status_code == 409


@pytest.mark.parametrize("kind", ["objects", "properties", "tags"])
def test_a_rename_to_a_name_that_is_taken_is_a_conflict(api, full, kind):
    fields = STRING if kind == "properties" else {}
    for name in ["first", "second"]:
        path = f"{full}/tags/{name}" if kind == "tags" else f"{full}/{kind}"
        body = None if kind == "tags" else fields | {"name": name}
        assert api.post(path, json=body).status_code == 201
    answer = api.put(f"{full}/{kind}/first", json=fields | {"name": "second"})
    assert answer.status_code == 409, answer.text
    assert api.put(f"{full}/{kind}/first", json=fields | {"name": "third"}).status_code == 200
    assert api.get(f"{full}/{kind}/third").status_code == 200
    assert api.get(f"{full}/{kind}/first").status_code == 404


def test_tags_replace_the_others_unless_they_are_appended(api, full):
    def send(names, **headers):
        body = {"tags": [{"name": name} for name in names]}
        return api.post(f"{full}/tags", json=body, headers=headers).status_code

    listed = f"{full}/tags?sort_key=name&sort_dir=asc"
    assert send(["two", "three"]) == 201
    assert names(api.get(listed), "tags") == ["three", "two"]
    assert send(["four"], **{"X-Openstack-Append": "True"}) == 201
    assert send(["five", "four"], **{"X-Openstack-Append": "True"}) == 409
    assert names(api.get(listed), "tags") == ["four", "three", "two"]
    assert names(api.get(f"{listed}&limit=1&marker=four"), "tags") == ["three"]


def test_nothing_leaves_a_protected_namespace(api, full):
    name = api.get(full).json()["namespace"]
    assert api.put(full, json={"namespace": name, "protected": True}).status_code == 200
    targets = ["", "/objects", "/properties", "/tags", "/objects/lamp", "/properties/colour"]
    for target in [*targets, "/tags/one", "/resource_types/OS::Test::Lamp"]:
        answer = api.delete(full + target)
        assert answer.status_code == 403, target
        assert "protected and cannot be deleted" in answer.json()["message"]
    assert api.put(full, json={"namespace": name}).status_code == 200
    assert api.delete(full).status_code == 204


def test_deleting_all_of_a_kind_leaves_the_others(api, full):
    for kind in ["objects", "properties", "tags"]:
        assert api.delete(f"{full}/{kind}").status_code == 204
        assert not api.get(f"{full}/{kind}").json()[kind]
    shown = api.get(full).json()
    assert [a["name"] for a in shown["resource_type_associations"]] == ["OS::Test::Lamp"]


def test_what_is_not_there_is_not_found(api, full):
    missing = f"{ROOT}/{unique('Missing')}"
    for path in [missing, full + "/objects/x", full + "/properties/x", full + "/tags/x"]:
        assert api.get(path).status_code == 404, path
        assert api.delete(path).status_code == 404, path
    assert api.delete(f"{full}/resource_types/x").status_code == 404
    for kind in ["objects", "properties", "tags", "resource_types"]:
        assert api.get(f"{missing}/{kind}").status_code == 404, kind


def test_a_list_is_walked_page_by_page(api, make):
    kind = unique("OS::Test")
    made = [unique(f"Page{number}") for number in range(5)]
    for number, name in enumerate(made):
        fields = {"display_name": "same"} if number % 2 else {}
        make(name, resource_type_associations=[{"name": kind, "prefix": "x_"}], **fields)
    for query in ["", "&sort_key=display_name&sort_dir=asc", "&sort_key=namespace&sort_dir=desc"]:
        seen, path = [], f"{ROOT}?resource_types={kind}&limit=2{query}"
        while path:
            page = api.get(path).json()
            assert "marker" not in page["first"]
            assert page["schema"] == "/v2/schemas/metadefs/namespaces"
            for namespace in page["namespaces"]:
                seen.append(namespace["namespace"])
                associations = namespace["resource_type_associations"]
                assert [(a["name"], a["prefix"]) for a in associations] == [(kind, "x_")]
            path = page.get("next")
        assert sorted(seen) == sorted(made), query


@pytest.mark.parametrize(
    "query, status",
    [
        ("limit=-1", 400),
        ("limit=x", 400),
        ("sort_dir=up", 400),
        ("sort_key=colour", 400),
        ("visibility=shared", 400),
        ("marker=nobody", 404),
    ],
)
def test_a_query_that_means_nothing_is_refused(api, query, status):
    assert api.get(f"{ROOT}?{query}").status_code == status


def test_others_see_what_is_public_and_change_nothing(api, another, make, full):
    theirs = another.api()
    private = unique("Private")
    make(private)
    public = unique("Public")
    make(public, visibility="public", tags=[{"name": "one"}])
    listed = theirs.get(f"{ROOT}?limit=1000").json()["namespaces"]
    listed = [namespace["namespace"] for namespace in listed]
    assert public in listed and private not in listed

    for target in ["", "/objects", "/properties", "/tags", "/resource_types"]:
        assert theirs.get(f"{ROOT}/{private}{target}").status_code == 404
        assert theirs.get(f"{ROOT}/{public}{target}").status_code == 200
    body = {"namespace": public}
    for path, status in [(f"{ROOT}/{public}", 403), (f"{ROOT}/{private}", 404)]:
        assert theirs.put(path, json=body).status_code == status
        assert theirs.delete(path).status_code == status
        assert theirs.delete(f"{path}/tags").status_code == status
        assert theirs.post(f"{path}/tags/two").status_code == status
        assert theirs.post(f"{path}/objects", json={"name": "o"}).status_code == status
        property = STRING | {"name": "p"}
        assert theirs.post(f"{path}/properties", json=property).status_code == status
        association = {"name": "OS::Test::Lamp"}
        assert theirs.post(f"{path}/resource_types", json=association).status_code == status
    assert theirs.post(ROOT, json={"namespace": unique("Theirs")}).status_code == 403
    assert names(theirs.get(f"{ROOT}/{public}/tags"), "tags") == ["one"]


def test_a_project_sees_its_own_private_namespaces(another, make):
    name = unique("Theirs")
    make(name, owner=another.project_id)
    shown = another.api().get(f"{ROOT}/{name}").json()
    assert (shown["visibility"], shown["owner"]) == ("private", another.project_id)


@pytest.mark.parametrize(
    "name, described",
    [
        ("namespace", "display_name"),
        ("namespaces", "namespaces"),
        ("object", "required"),
        ("objects", "objects"),
        ("property", "operators"),
        ("properties", "properties"),
        ("resource_type", "prefix"),
        ("resource_types", "resource_type_associations"),
        ("tag", "name"),
        ("tags", "tags"),
    ],
)
def test_the_schemas_are_served(api, name, described):
    schema = api.get(f"/v2/schemas/metadefs/{name}").json()
    assert described in schema["properties"]


def test_files_are_loaded_into_and_exported_from_a_running_service(start, tmp_path):
    service = start()
    api = Account(service).api()
    files, exported = tmp_path / "files", tmp_path / "exported"
    files.mkdir()
    document = {
        "namespace": "OS::Test::Loaded",
        "display_name": "Loaded: first",
        "description": None,
        "visibility": "public",
        "protected": True,
        "resource_type_associations": [
            {"name": "OS::Test::Lamp", "prefix": "lamp_", "properties_target": None}
        ],
        "properties": {"colour": STRING},
        "objects": [{"name": "lamp", "description": "light", "properties": {"bulb": STRING}}],
        "tags": [{"name": "one"}],
    }
    (files / "loaded.json").write_text(json.dumps(document))
    (files / "notes.txt").write_text("no definitions")

    def db(command, *arguments, status=0):
        command = [TINTYPE, "db", command, "--state-dir", service.state, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stderr
        return done.stderr

    path = f"{ROOT}/OS::Test::Loaded"
    db("load-metadefs", files)
    assert api.get(path).json()["properties"] == {"colour": STRING}
    db("export-metadefs", exported)
    assert json.loads((exported / "Loadedfirst.json").read_text()) == document

    document["display_name"] = "Loaded: second"
    (files / "loaded.json").write_text(json.dumps(document))
    assert "skipped" in db("load-metadefs", files)
    assert api.get(path).json()["display_name"] == "Loaded: first"
    db("load-metadefs", files / "loaded.json", "--merge", "--prefer-new")
    assert api.get(path).json()["display_name"] == "Loaded: second"
    db("load-metadefs", files, "--overwrite", status=2)

    broken = ["{", '{"namespace": "x", "visibility": "secret"}', '{"properties": {}}']
    for number, text in enumerate(broken):
        (files / f"broken-{number}.json").write_text(text)
    said = db("load-metadefs", files, "--merge", "--overwrite", status=1)
    assert said.count("not loaded") == len(broken) and "loaded.json: overwritten" in said
    assert names(api.get("/v2/metadefs/resource_types"), "resource_types") == ["OS::Test::Lamp"]
    db("unload-metadefs")
    assert api.get(ROOT).json()["namespaces"] == []
    assert api.get("/v2/metadefs/resource_types").json() == {"resource_types": []}


def test_the_database_and_the_files_are_those_of_the_configuration(tmp_path):
    files, database = tmp_path / "metadefs", tmp_path / "elsewhere.db"
    files.mkdir()
    (files / "one.json").write_text('{"namespace": "OS::Test::One"}')
    config = tmp_path / "glance-api.conf"
    config.write_text(
        f"[DEFAULT]\nmetadata_source_path = {files}\n[database]\nconnection = sqlite:///{database}\n"
    )
    for step in ["sync", "load-metadefs"]:
        command = [TINTYPE, "db", step, "--config-file", config]
        subprocess.run(command, check=True, timeout=60)
    assert database.exists()
    exported = tmp_path / "exported"
    command = [TINTYPE, "db", "export-metadefs", "--config-file", config, exported]
    subprocess.run(command, check=True, timeout=60)
    assert json.loads((exported / "OSTestOne.json").read_text())["namespace"] == "OS::Test::One"
