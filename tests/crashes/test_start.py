"""Starting and stopping: what is in the way is told, what was there is kept."""

import resource
import signal
import socket

import pytest
import requests

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


def test_what_lies_beside_the_configuration_counts_and_the_environment(
    start, tmp_path, monkeypatch
):
    """As for Glance, which is told of one file."""
    beside = tmp_path / "glance-api.conf.d"
    beside.mkdir()
    (beside / "more.conf").write_text("[default]\nx = 1\n[Paste_Deploy]\nflavor = keystone\n")
    methods = "[DEFAULT]\nenabled_import_methods = web-download\n"
    (tmp_path / "glance-image-import.conf").write_text(methods)
    monkeypatch.setenv("OS_DEFAULT__LIMIT_PARAM_DEFAULT", "1")
    with pytest.raises(DidNotStart, match="auth_url"):
        start(tmp_path / "glance-api", config="")
    service = start(tmp_path / "glance-api", config="", arguments=["--identity", "built-in"])
    api = Account(service).api()
    assert api.get("/v2/info/import").json()["import-methods"]["value"] == ["web-download"]
    api.create(), api.create()
    assert len(api.get("/v2/images").json()["images"]) == 1


def test_a_hang_up_does_not_stop_the_service(start, eventually):
    service = start()
    service.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: any("SIGHUP" in line for line in service.log))
    assert requests.get(f"{service.url}/versions", timeout=10).ok


def test_more_connections_are_taken_than_a_shell_allows(start):
    few = 64
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    service = start(setup=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, most)))
    port = int(service.url.rpartition(":")[2])
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(2 * few)]
    assert requests.get(f"{service.url}/versions", timeout=5).ok
    for connection in idle:
        connection.close()


def test_systemd_is_told_when_requests_are_taken_and_when_no_more(start, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        service = start()
        assert systemd.recv(64) == b"READY=1"
        assert requests.get(f"{service.url}/versions", timeout=10).ok
        assert service.stop() == 0
        assert systemd.recv(64) == b"STOPPING=1"
