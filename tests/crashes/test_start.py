"""Starting and stopping: what is in the way is told, what was there is kept."""

import pytest

from service import Account, DidNotStart


def test_a_port_in_use_is_told(start, tmp_path):
    running = start(tmp_path / "one")
    address = running.url.removeprefix("http://")
    with pytest.raises(DidNotStart, match=f"{address}.*--listen"):
        start(tmp_path / "two", listen=address)


def test_a_state_directory_in_use_is_told(start, tmp_path):
    start(tmp_path / "one")
    with pytest.raises(DidNotStart, match="--state-dir"):
        start(tmp_path / "one")


def test_a_state_directory_that_can_not_be_made_is_told(start):
    with pytest.raises(DidNotStart, match="/proc/nowhere"):
        start("/proc/nowhere")


def test_images_and_credentials_outlive_a_restart(start, data):
    first = start()
    api = Account(first).api()
    image = api.create(tags=["kept"])
    assert api.upload(image, data).status_code == 204
    credentials = first.credentials
    assert first.stop() == 0

    second = start()
    assert second.credentials["password"] == credentials["password"]
    api = Account(second).api()
    assert api.show(image)["tags"] == ["kept"]
    assert api.get(f"/v2/images/{image}/file").content == data


def test_an_unfinished_file_is_swept_and_a_strangers_is_not(start):
    service = start()
    service.stop()
    images = service.state / "images"
    stranger = "11111111-2222-3333-4444-555555555555"
    (images / stranger).write_bytes(b"of another service that shares the directory")
    (images / ".partial-1").write_bytes(b"left by a crash where files can not be nameless")
    assert start().stored_files() == [stranger]
