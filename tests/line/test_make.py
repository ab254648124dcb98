"""`tintype make`: a real guest from its packages to the image service, and recipes with faults."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from service import TINTYPE

DEBIAN = Path(__file__).parents[2] / "recipes/debian-12.toml"
STEPS = ["source", "prepare", "clean", "check", "boot", "convert", "publish"]


@pytest.mark.guest
def test_a_debian_image_is_made_proved_and_published(service, admin, tmp_path):
    def make():
        # Packages are kept in the user's cache from run to run, what is made of them is not.
        command = [
            TINTYPE,
            "make",
            DEBIAN,
            "--work-dir",
            tmp_path / "work",
            "--cloud",
            "tintype",
            "--json",
        ]
        environment = os.environ | {"OS_CLIENT_CONFIG_FILE": str(service.clouds_yaml)}
        said = admin.run(*command, env=environment, timeout=1500)
        return [json.loads(line) for line in said.splitlines()]

    def of_kind(events, kind):
        return [event for event in events if event["event"] == kind]

    first = make()
    assert [event["step"] for event in of_kind(first, "finished")] == STEPS
    findings = [event["finding"] for event in of_kind(first, "finding")]
    assert len(findings) >= 15
    image, published = first[-1]["image"], first[-1]["published"]
    bytes_ = Path(image["path"]).read_bytes()
    assert hashlib.sha512(bytes_).hexdigest() == image["sha512"]

    record = admin.api().show(published["id"])
    assert record["status"] == "active"
    assert record["os_hash_value"] == image["sha512"]
    assert record["os_distro"] == "debian"
    saved = tmp_path / "saved.qcow2"
    admin.run("openstack", "image", "save", "--file", saved, published["id"])
    assert saved.read_bytes() == bytes_
    check = subprocess.run(["qemu-img", "check", "-q", saved], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr

    again = make()
    assert [event["step"] for event in of_kind(again, "reused")] == STEPS[:-1]
    assert again[-1]["published"]["id"] == published["id"], "the same image is not published twice"


def refused(recipe, folder, status, *arguments, wrapper=()):
    """Tries to make a recipe; returns what was said, after seeing that nothing was made."""
    path = folder / "recipe.toml"
    path.write_text(recipe)
    work = folder / "work"
    command = [*wrapper, TINTYPE, "make", path, "--work-dir", work, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert not work.exists() or not [path for path in work.iterdir() if path.is_dir()]
    return done.stderr


MINIMAL = '[image]\nname = "test"\n\n[source]\nsuite = "bookworm"\n'


def test_an_unknown_key_is_told_with_its_place_and_its_neighbour(tmp_path):
    said = refused(MINIMAL + '\n[disk]\nsiez = "2G"\n', tmp_path, 2)
    assert "recipe.toml:8:1" in said
    assert "`siez`" in said and "`size`" in said


def test_all_faults_of_a_recipe_are_told_at_once(tmp_path):
    said = refused(MINIMAL + '\n[disc]\n\n[convert]\nformat = "qcow3"\n', tmp_path, 2)
    assert "disc" in said and "`disk`" in said
    assert "qcow3" in said and "`qcow2`" in said


def test_a_recipe_without_a_source_is_refused(tmp_path):
    assert "[source]" in refused('[image]\nname = "test"\n', tmp_path, 2)


def test_a_recipe_that_is_missing_is_told(tmp_path):
    done = subprocess.run(
        [TINTYPE, "make", tmp_path / "absent.toml"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "absent.toml" in done.stderr


def test_too_little_room_is_told_before_anything_is_made(tmp_path):
    (tmp_path / "work").mkdir()
    mount = f'mount -t tmpfs -o size=16m none "{tmp_path}/work" && exec "$@"'
    wrapper = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*wrapper, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs user namespaces")
    said = refused(MINIMAL, tmp_path, 3, wrapper=wrapper)
    assert "free" in said and "--work-dir" in said
