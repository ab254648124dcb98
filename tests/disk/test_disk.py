"""`tintype disk`: image files, beside qemu-img."""

import json
import signal
import subprocess

import pytest

from service import TINTYPE


def disk(*arguments, status=0):
    """Runs a command; returns its standard output, or what it complained of."""
    command = [str(part) for part in [TINTYPE, "disk", *arguments]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def qemu_img(*arguments):
    command = ["qemu-img", *[str(part) for part in arguments]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_an_image_is_created_resized_and_described_as_qemu_img_does(tmp_path):
    image = tmp_path / "disk.qcow2"
    disk("create", "-f", "qcow2", "-o", "cluster_size=128k", image, "10G")
    disk("resize", image, "+512M")
    qemu_img("check", image)
    ours = json.loads(disk("info", "--json", image))
    theirs = json.loads(qemu_img("info", "--output=json", image))
    for key in ["filename", "format", "virtual-size", "cluster-size", "actual-size"]:
        assert ours[key] == theirs[key], key
    data = ours["format-specific"]["data"]
    assert data.items() >= theirs["format-specific"]["data"].items()


def test_what_is_converted_there_and_back_is_the_same(tmp_path, file, data):
    image, back = tmp_path / "disk.qcow2", tmp_path / "back.raw"
    disk("convert", "-f", "raw", "-O", "qcow2", "-c", "-p", file, image)
    qemu_img("check", image)
    assert "Images are identical" in qemu_img("compare", "-f", "raw", file, image)
    disk("convert", "-O", "raw", image, back)
    assert back.read_bytes()[: len(data)] == data


def test_a_backing_file_is_shown_and_read_only_when_asked_for(tmp_path):
    secret, image, copy = tmp_path / "secret", tmp_path / "disk.qcow2", tmp_path / "copy"
    secret.write_text("root:x:0:0")
    disk("create", "-f", "qcow2", "-b", secret, "-F", "raw", image)
    shown = json.loads(disk("info", "--json", image))
    assert shown["refers-to"] == [{"kind": "backing-file", "name": str(secret)}]
    assert "secret" in disk("convert", "-O", "raw", image, copy, status=1)
    assert not copy.exists()
    disk("convert", "-O", "raw", "--follow-backing", image, copy)
    assert copy.read_bytes().startswith(b"root:x:0:0")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["info", "{folder}/absent"], 1, "absent"),
        (["create", "-f", "floppy", "{folder}/x", "1M"], 1, "floppy"),
        (["create", "-f", "qcow2", "-o", "clustersize=4k", "{folder}/x", "1M"], 1, "cluster_size"),
        (["create", "-f", "qcow2", "{folder}/x", "12Q"], 2, "12Q"),
        (["create", "-f", "qcow2", "{folder}/x"], 2, "SIZE"),
        (["resize", "{folder}/disk", "-1k"], 1, "--shrink"),
        (["convert", "-f", "qcow2", "-O", "raw", "{folder}/disk", "{folder}/x"], 1, "malformed"),
        (["convert", "-O", "vmdk", "{folder}/disk", "{folder}/x"], 1, "vmdk"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing(tmp_path, arguments, status, says):
    (tmp_path / "disk").write_bytes(b"x" * 4096)
    said = disk(*[part.format(folder=tmp_path) for part in arguments], status=status)
    assert says in said
    assert [path.name for path in tmp_path.iterdir()] == ["disk"]
    assert (tmp_path / "disk").read_bytes() == b"x" * 4096


def test_a_conversion_that_is_interrupted_leaves_what_was_there(tmp_path, eventually):
    source, target = tmp_path / "disk.raw", tmp_path / "disk.qcow2"
    with source.open("wb") as file:
        for _ in range(64):
            file.write(b"a text that repeats itself " * 160_000)
    target.write_text("what was there")
    command = [TINTYPE, "disk", "convert", "-O", "qcow2", "-c", source, target]
    running = subprocess.Popen(command, stderr=subprocess.PIPE)
    eventually(lambda: any(path.stat().st_size > 1 << 20 for path in tmp_path.glob(".tintype-*")))
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=30) == 130
    assert target.read_text() == "what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk.qcow2", "disk.raw"]
