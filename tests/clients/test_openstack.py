"""`openstack`, as a user types it."""

import json
import os

import pytest

from service import unique


@pytest.fixture
def openstack(admin):
    return lambda *arguments, **options: admin.run("openstack", *arguments, **options)


def created(openstack, *arguments, name="openstack"):
    return json.loads(openstack("image", "create", unique(name), *arguments, "-f", "json"))


def shown(openstack, image):
    return json.loads(openstack("image", "show", image, "-f", "json"))


def test_the_written_clouds_yaml_is_all_that_is_needed(service, admin):
    assert service.clouds_yaml.stat().st_mode & 0o777 == 0o600
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    environment["OS_CLIENT_CONFIG_FILE"] = str(service.clouds_yaml)
    listed = admin.run(
        "openstack", "--os-cloud", "tintype", "image", "list", "-f", "json", env=environment
    )
    assert isinstance(json.loads(listed), list)


def test_a_token_can_be_issued_and_projects_listed(openstack):
    assert json.loads(openstack("token", "issue", "-f", "json"))["id"]
    assert "admin" in openstack("project", "list")
    assert "image" in openstack("catalog", "list")


def test_a_wrong_password_is_refused(service, admin):
    environment = admin.environment | {"OS_PASSWORD": "wrong"}
    said = admin.run("openstack", "token", "issue", env=environment, status=1)
    assert "401" in said


def test_an_image_is_created_saved_and_deleted(openstack, file, data, sha512, tmp_path):
    image = created(
        openstack,
        "--file",
        file,
        "--disk-format",
        "raw",
        "--container-format",
        "bare",
        "--public",
        "--min-disk",
        1,
        "--min-ram",
        64,
        "--property",
        "os_distro=debian",
        "--tag",
        "lts",
    )
    assert image["visibility"] == "public"
    assert image["min_disk"] == 1 and image["min_ram"] == 64
    assert image["tags"] == ["lts"]

    record = shown(openstack, image["name"])
    assert record["status"] == "active"
    assert record["size"] == len(data)
    assert record["properties"]["os_hash_algo"] == "sha512"
    assert record["properties"]["os_hash_value"] == sha512(data)
    assert record["properties"]["os_distro"] == "debian"

    saved = tmp_path / "saved"
    openstack("image", "save", "--file", saved, image["name"])
    assert saved.read_bytes() == data

    openstack("image", "delete", image["name"])
    assert "No Image found" in openstack("image", "show", image["name"], status=1)


def test_set_and_unset_change_what_they_name_and_nothing_else(openstack):
    image = created(openstack, "--property", "keep=1", "--property", "drop=2", "--tag", "old")["id"]
    name = unique("renamed")
    openstack(
        "image",
        "set",
        image,
        "--name",
        name,
        "--min-disk",
        2,
        "--property",
        "added=3",
        "--tag",
        "new",
        "--protected",
        "--disk-format",
        "qcow2",
        "--container-format",
        "bare",
    )
    openstack("image", "unset", image, "--property", "drop", "--tag", "old")
    record = shown(openstack, image)
    assert (record["name"], record["min_disk"], record["protected"]) == (name, 2, True)
    assert record["tags"] == ["new"]
    assert record["properties"]["keep"] == "1" and record["properties"]["added"] == "3"
    assert "drop" not in record["properties"]

    assert "403" in openstack("image", "delete", image, status=1)
    openstack("image", "set", image, "--unprotected")
    openstack("image", "delete", image)


def test_a_list_is_filtered_and_sorted(openstack):
    tag = unique("tag")
    for name, kind in [("b", "raw"), ("a", "raw"), ("c", "qcow2")]:
        openstack("image", "create", name, "--tag", tag, "--disk-format", kind, "--community")

    def listed(*arguments):
        said = openstack("image", "list", "--tag", tag, "-f", "json", *arguments)
        return [image["Name"] for image in json.loads(said)]

    assert listed("--community", "--sort", "name:asc") == ["a", "b", "c"]
    assert listed("--community", "--sort", "disk_format:desc,name:desc") == ["b", "a", "c"]
    assert listed("--community", "--name", "c") == ["c"]
    assert listed("--community", "--status", "active") == []
    assert listed("--community", "--limit", "2", "--sort", "name") == ["a", "c"], (
        "the newest two, sorted"
    )
    assert listed("--private") == []


def test_deactivated_bytes_are_out_of_reach_until_reactivated(openstack, another, file, tmp_path):
    image = created(openstack, "--file", file, "--public", "--disk-format", "raw")["id"]
    openstack("image", "set", "--deactivate", image)
    assert shown(openstack, image)["status"] == "deactivated"
    another.run("openstack", "image", "save", "--file", tmp_path / "no", image, status=1)
    openstack("image", "set", "--activate", image)
    another.run("openstack", "image", "save", "--file", tmp_path / "yes", image)
    assert (tmp_path / "yes").read_bytes() == file.read_bytes()


def test_an_image_is_shared_with_a_project(openstack, another):
    image = created(openstack, "--shared")["id"]

    def seen():
        said = another.run("openstack", "image", "list", "--shared", "-f", "json")
        return [row["ID"] for row in json.loads(said)]

    another.run("openstack", "image", "show", image, status=1)
    openstack("image", "add", "project", image, another.project_id)
    another.run("openstack", "image", "show", image)
    assert image not in seen(), "a pending share is not listed"

    another.run("openstack", "image", "set", "--accept", "--project", another.project_id, image)
    assert image in seen()
    members = json.loads(openstack("image", "member", "list", image, "-f", "json"))
    member = json.loads(
        openstack("image", "member", "get", image, another.project_id, "-f", "json")
    )
    assert member["status"] == members[0]["Status"]
    assert [(row["Member ID"], row["Status"]) for row in members] == [
        (another.project_id, "accepted")
    ]

    openstack("image", "remove", "project", image, another.project_id)
    another.run("openstack", "image", "show", image, status=1)


def test_what_is_not_ones_own_can_not_be_changed(openstack, another):
    image = created(openstack, "--public")["id"]
    another.run("openstack", "image", "show", image)
    for arguments in [("set", "--name", "mine", image), ("delete", image)]:
        assert "403" in another.run("openstack", "image", *arguments, status=1)
    assert "403" in another.run("openstack", "image", "create", "mine", "--public", status=1)
