"""`glance`, as a user types it. Its uploads are chunked and name no length."""

import re

import pytest

from service import unique


@pytest.fixture
def glance(admin):
    return lambda *arguments, **options: admin.run("glance", *arguments, **options)


def record(table):
    """The property table that `glance` prints."""
    rows = re.findall(r"^\| (\S+) +\| (.*?) *\|$", table, re.MULTILINE)
    return {name: value for name, value in rows if name != "Property"}


def test_the_command_that_everybody_knows(glance, api, file, data, sha512, tmp_path):
    name = unique("glance")
    made = record(
        glance(
            "image-create",
            "--disk-format",
            "raw",
            "--visibility",
            "public",
            "--container-format",
            "bare",
            "--name",
            name,
            "--file",
            file,
            "--progress",
        )
    )
    assert made["status"] == "active"
    assert made["name"] == name
    assert made["size"] == str(len(data))
    assert api.show(made["id"])["os_hash_value"] == sha512(data)

    saved = tmp_path / "saved"
    glance("image-download", "--file", saved, "--progress", made["id"])
    assert saved.read_bytes() == data


@pytest.mark.parametrize("size", [0, 1, 65_536, 8 << 20])
def test_chunked_uploads_of_any_size(glance, tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(b"\x5a" * size)
    arguments = ["--disk-format", "raw", "--container-format", "bare", "--file", path]
    made = record(glance("image-create", "--name", unique("size"), *arguments))
    assert (made["status"], made["size"]) == ("active", str(size))


def test_a_record_lives_from_create_to_delete(glance, file):
    formats = ["--disk-format", "raw", "--container-format", "bare"]
    image = record(glance("image-create", "--name", unique("life"), *formats))
    assert image["status"] == "queued"
    image = image["id"]
    glance("image-upload", "--file", file, image)
    glance("image-update", image, "--min-disk", 3, "--property", "a=b", "--name", "renamed")
    glance("image-tag-update", image, "blue")
    shown = record(glance("image-show", image))
    assert (shown["status"], shown["name"], shown["min_disk"]) == ("active", "renamed", "3")
    assert (shown["a"], "blue" in shown["tags"]) == ("b", True)
    glance("image-update", image, "--remove-property", "a")
    glance("image-tag-delete", image, "blue")
    shown = record(glance("image-show", image))
    assert "a" not in shown and "blue" not in shown["tags"]
    glance("image-deactivate", image)
    assert record(glance("image-show", image))["status"] == "deactivated"
    glance("image-reactivate", image)
    assert image in glance("image-list")
    glance("image-delete", image)
    assert "404" in glance("image-show", image, status=1)


def test_members(glance, another):
    image = record(glance("image-create", "--name", unique("shared")))["id"]
    glance("member-create", image, another.project_id)
    another.run("glance", "member-update", image, another.project_id, "accepted")
    assert "accepted" in glance("member-list", "--image-id", image)
    assert image in another.run("glance", "image-list", "--visibility", "shared")
    assert "accepted" in glance("member-get", image, another.project_id)
    glance("member-delete", image, another.project_id)
    assert another.project_id not in glance("member-list", "--image-id", image)


def test_the_schema_is_explained(glance):
    said = glance("explain", "image")
    for name in ["disk_format", "os_hash_value", "visibility"]:
        assert name in said


def test_the_client_knows_its_own_words(glance):
    assert "--disk-format" in glance("help", "image-create")
    assert "image-create" in glance("bash-completion")


def test_long_lists_are_paged(glance, admin):
    tag, api = unique("tag"), admin.api()
    names = [f"page-{number:03}" for number in range(45)]
    for name in names:
        api.create(name=name, tags=[tag])
    listed = glance("image-list", "--tag", tag, "--page-size", 7, "--sort", "name:asc")
    assert re.findall(r"page-\d{3}", listed) == names
