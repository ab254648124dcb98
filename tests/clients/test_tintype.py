"""`tintype image`, our own client, against the service."""

import json
import os
import subprocess

import pytest

from service import TINTYPE, unique


@pytest.fixture
def image(admin):
    return lambda *arguments, **options: admin.run(TINTYPE, "image", *arguments, **options)


def test_what_is_pushed_is_listed_changed_pulled_and_deleted(image, file, data, sha512, tmp_path):
    name = unique("tintype")
    pushed = json.loads(
        image(
            "push",
            file,
            "--name",
            name,
            "--property",
            "os_distro=debian",
            "--json",
        )
    )
    assert (pushed["status"], pushed["os_hash_value"]) == ("active", sha512(data))
    assert name in [row["name"] for row in json.loads(image("list", "--json"))]

    image("set", name, "--property", "os_version=12", "--tag", "lts")
    shown = json.loads(image("show", name, "--json"))
    assert (shown["os_version"], shown["tags"]) == ("12", ["lts"])

    pulled = tmp_path / "pulled"
    image("pull", name, "--output", pulled)
    assert pulled.read_bytes() == data

    image("delete", name)
    image("show", name, status=1)


def test_a_service_of_ones_own_is_found_without_configuration(start, tmp_path, admin):
    start(tmp_path / "tintype")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
    }
    assert json.loads(admin.run(TINTYPE, "image", "list", "--json", env=environment)) == []


def test_a_hostile_name_stays_a_name(image, api, tmp_path):
    hostile = "../../../../tmp/" + unique("escaped")
    made = api.create(name=hostile)
    assert api.upload(made, b"bytes").status_code == 204
    folder = tmp_path / "here"
    folder.mkdir()
    image("pull", made, cwd=folder)
    assert [path.read_bytes() for path in folder.iterdir()] == [b"bytes"]


def test_bytes_that_are_not_the_images_are_not_kept(image, service, api, tmp_path):
    made = api.create()
    assert api.upload(made, b"the right bytes").status_code == 204
    (service.state / "images" / made).write_bytes(b"the wrong bytes")
    pulled = tmp_path / "pulled"
    said = image("pull", made, "--output", pulled, status=1)
    assert "sha512" in said
    assert not pulled.exists()


def test_a_reader_that_went_away_is_no_reason_to_panic():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [TINTYPE, "completions", "bash"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert done.returncode == 1
    assert "Broken pipe" in done.stderr and "panicked" not in done.stderr
