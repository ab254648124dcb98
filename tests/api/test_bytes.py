"""Uploads and downloads, the ones that go wrong too."""

import hashlib
import http.client
import os
import random
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from service import Account, unique


@pytest.fixture(scope="module")
def image(api, data):
    image = api.create(name=unique("bytes"))
    assert api.upload(image, data).status_code == 204
    return image


def test_an_upload_is_measured_and_hashed(api, image, data):
    record = api.show(image)
    assert record["status"] == "active"
    assert (record["size"], record["virtual_size"]) == (len(data), len(data))
    assert record["checksum"] == hashlib.md5(data).hexdigest()
    assert record["os_hash_value"] == hashlib.sha512(data).hexdigest()


def test_a_download_is_whole_and_says_so(api, image, data):
    answer = api.get(f"/v2/images/{image}/file", headers={"Accept": "*/*"})
    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Content-MD5"] == hashlib.md5(data).hexdigest()
    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "asked, start, end",
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=-5", -5, None),
        ("bytes=3000000-", 3000000, None),
        ("bytes=0-99999999", 0, None),
    ],
)
def test_a_range(api, image, data, asked, start, end):
    answer = api.get(f"/v2/images/{image}/file", headers={"Range": asked})
    expected = data[start:end]
    assert answer.status_code == 206
    assert answer.content == expected
    first = start % len(data)
    assert (
        answer.headers["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(data)}"
    )


def test_a_range_beyond_the_end(api, image, data):
    answer = api.get(f"/v2/images/{image}/file", headers={"Range": f"bytes={len(data)}-"})
    assert answer.status_code == 416


@pytest.mark.parametrize(
    "asked, status",
    [("bytes=9-0", 416), ("bytes=x", 416), ("lines=1-2", 416), ("bytes=0-1,5-6", 400)],
)
def test_what_is_no_range_is_refused_as_glance_does(api, image, asked, status):
    answer = api.get(f"/v2/images/{image}/file", headers={"Range": asked})
    assert answer.status_code == status


def test_a_download_that_is_not_needed_is_not_sent(api, image):
    tag = api.get(f"/v2/images/{image}/file").headers["ETag"]
    answer = api.get(f"/v2/images/{image}/file", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    answer = api.get(
        f"/v2/images/{image}/file", headers={"Range": "bytes=0-9", "If-Range": '"other"'}
    )
    assert answer.status_code == 200


def test_an_image_without_bytes(api):
    assert api.get(f"/v2/images/{api.create()}/file").status_code == 204


def test_bytes_are_uploaded_once(api, image):
    assert api.upload(image, b"other").status_code == 409


def test_bytes_need_formats_and_their_content_type(api):
    bare = api.post("/v2/images", json={"name": "no formats"}).json()["id"]
    assert api.upload(bare, b"x").status_code == 400
    image = api.create()
    assert api.upload(image, b"x", **{"Content-Type": "text/plain"}).status_code == 415
    assert api.status(image) == "queued"


def test_only_one_of_two_uploads_at_once_is_taken(api, admin, data):
    image = api.create()
    second = {}
    under_way, answered = threading.Event(), threading.Event()

    def first_half_then_wait():
        yield data[:1000]
        under_way.set()
        assert answered.wait(timeout=60)
        yield data[1000:]

    def upload_again():
        under_way.wait(timeout=60)
        other = admin.api()
        while other.status(image) == "queued":
            pass
        second["answer"] = other.upload(image, b"other bytes")
        answered.set()

    thread = threading.Thread(target=upload_again)
    thread.start()
    first = api.upload(image, first_half_then_wait())
    thread.join()
    assert (first.status_code, second["answer"].status_code) == (204, 409)
    assert api.get(f"/v2/images/{image}/file").content == data


def send(service, head, body):
    """Sends a request by hand; returns the socket."""
    host, port = service.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(head.encode() + b"\r\n\r\n" + body)
    return connection


def upload_head(api, image, *headers):
    lines = [
        f"PUT /v2/images/{image}/file HTTP/1.1",
        "Host: test",
        f"X-Auth-Token: {api.headers['X-Auth-Token']}",
        "Content-Type: application/octet-stream",
        *headers,
    ]
    return "\r\n".join(lines)


@pytest.mark.parametrize(
    "header, body",
    [
        ("Content-Length: 5000000", b"x" * 1_000_000),
        ("Transfer-Encoding: chunked", b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n"),
        ("Transfer-Encoding: chunked", b"f4240\r\n" + b"x" * 1000),
    ],
)
def test_a_client_that_goes_away_leaves_nothing(service, api, eventually, header, body):
    image = api.create()
    with send(service, upload_head(api, image, header), body):
        eventually(lambda: api.status(image) == "saving")
    eventually(lambda: api.status(image) == "queued")
    assert leftovers(service, image) == []
    assert api.upload(image, b"whole").status_code == 204, "the image can be uploaded again"


def test_a_client_that_sends_nonsense_leaves_nothing(service, api, eventually):
    image = api.create()
    head = upload_head(api, image, "Transfer-Encoding: chunked")
    with send(service, head, b"what is this\r\n") as connection:
        assert b" 400 " in connection.recv(4096).split(b"\r\n")[0]
    eventually(lambda: api.status(image) == "queued")
    assert leftovers(service, image) == []


def leftovers(service, image):
    return [name for name in service.stored_files() if image in name]


def test_bytes_after_the_announced_length_are_not_the_images(service, api):
    image = api.create()
    connection = send(
        service, upload_head(api, image, "Content-Length: 10"), b"0123456789" + b"more" * 1000
    )
    with connection:
        assert b" 204 " in connection.recv(4096).split(b"\r\n")[0]
    assert api.show(image)["size"] == 10
    assert api.get(f"/v2/images/{image}/file").content == b"0123456789"


def test_a_refused_upload_does_not_harm_the_next_request(service, api):
    """Either the bytes are read to their end, or the answer says that the connection ends."""
    head = upload_head(api, api.create(), "Content-Length: 1000000").replace(
        "application/octet-stream", "text/plain"
    )
    with send(service, head, b"") as connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        assert answer.status == 415
        if answer.getheader("Connection") == "close":
            return
        connection.sendall(b"x" * 1_000_000 + b"GET /versions HTTP/1.1\r\nHost: test\r\n\r\n")
        assert b" 200 " in connection.recv(4096).split(b"\r\n")[0]


def test_a_client_that_sends_on_hears_why_it_was_refused(api, image):
    """A connection that is cut while bytes are under way takes the answer with it."""
    assert api.upload(image, b"x" * (64 << 20)).status_code == 409
    megabyte = b"x" * (1 << 20)
    assert api.upload(image, (megabyte for _ in range(64))).status_code == 409


def test_a_length_that_is_none_is_refused(service, api):
    image = api.create()
    with send(service, upload_head(api, image, "Content-Length: -1"), b"") as connection:
        assert b" 400 " in connection.recv(4096).split(b"\r\n")[0]
    assert api.status(image) == "queued"


def qcow2(path, *options):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, path, "1M"], check=True)
    return path.read_bytes()


@pytest.mark.parametrize("declared", ["qcow2", "raw"])
@pytest.mark.parametrize(
    "options",
    [
        ["-u", "-b", "/etc/passwd", "-F", "raw"],
        ["-o", "data_file={folder}/data,data_file_raw=on"],
    ],
    ids=["backing file", "data file"],
)
def test_a_qcow2_that_refers_to_another_file_is_refused(service, api, tmp_path, options, declared):
    bytes_ = qcow2(tmp_path / "disk", *[option.format(folder=tmp_path) for option in options])
    image = api.create(disk_format=declared)
    answer = api.upload(image, bytes_)
    # Glance's word for it: 415, "Image failed safety checks".
    assert answer.status_code == 415, answer.text
    assert api.status(image) == "queued"
    assert leftovers(service, image) == []


def test_an_honest_qcow2_is_taken_and_understood(api, tmp_path):
    image = api.create(disk_format="qcow2")
    assert api.upload(image, qcow2(tmp_path / "disk")).status_code == 204
    assert api.show(image)["virtual_size"] == 1 << 20


@pytest.mark.parametrize("declared", ["qcow2", "vmdk", "vdi", "vhdx", "iso"])
def test_bytes_that_are_not_what_was_declared_are_refused(api, data, declared):
    image = api.create(disk_format=declared)
    assert api.upload(image, data).status_code == 415
    assert api.status(image) == "queued"


def test_uploads_in_pieces_of_every_size(api):
    pieces = [
        random.Random(size).randbytes(size)
        for size in [1, 2, 3, 511, 512, 513, 65_535, 65_537, 1 << 20, 7]
    ]
    image = api.create()
    assert api.upload(image, iter(pieces)).status_code == 204
    assert api.get(f"/v2/images/{image}/file").content == b"".join(pieces)


def test_an_image_deleted_during_its_upload_stays_deleted(service, api, admin, eventually, data):
    image = api.create()
    other = admin.api()

    def body():
        yield data
        eventually(lambda: other.status(image) == "saving")
        assert other.delete(f"/v2/images/{image}").status_code == 204
        yield data

    assert api.upload(image, body()).status_code in (404, 409, 410)
    assert api.get(f"/v2/images/{image}").status_code == 404
    eventually(lambda: leftovers(service, image) == [])


def edit(service, sql, *values):
    """Changes the catalog behind the back of a service, which it ends for that."""
    assert service.stop() == 0
    with sqlite3.connect(service.state / "glance.db") as catalog:
        assert catalog.execute(sql, values).rowcount == 1
    catalog.close()


def test_an_active_image_whose_record_has_no_size_is_served(start, data):
    service = start()
    image = Account(service).api().create()
    assert Account(service).api().upload(image, data).status_code == 204
    edit(service, "UPDATE images SET size = NULL WHERE id = ?", image)
    api = Account(start()).api()
    assert api.show(image)["size"] is None
    (listed,) = api.get("/v2/images").json()["images"]
    assert (listed["id"], listed["size"]) == (image, None)
    assert api.get("/v2/images?size_min=0").json()["images"] == []
    path = f"/v2/images/{image}/file"
    assert api.get(path).content == data
    part = api.get(path, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, data[5:10])
    for action in ["deactivate", "reactivate"]:
        assert api.post(f"/v2/images/{image}/actions/{action}").status_code == 204
    assert api.status(image) == "active"
    assert api.delete(f"/v2/images/{image}").status_code == 204


@pytest.mark.parametrize("uri", ["nothing://x", "", "file:///nowhere/x"])
def test_what_no_store_has_is_told_before_the_first_byte(start, cached, data, uri):
    lost = "UPDATE image_locations SET value = ? WHERE image_id = ?"
    node = cached(flavor="keystone+caching")
    image = node.image(data)
    edit(node.service, lost, uri, image)
    node.restart()
    answers = [node.download(image) for _ in range(2)]
    edit(node.service, "UPDATE images SET name = name WHERE id = ?", image)
    uncached = Account(start()).api()
    answers.append(uncached.get(f"/v2/images/{image}/file"))
    assert [answer.status_code for answer in answers] == [404] * 3
    assert "Image data is not found in its store." in answers[0].text


@pytest.mark.parametrize("name", ["sha256", "sha3_512", "blake2b", "md5"])
def test_the_digest_is_the_one_that_the_operator_wants(start, data, name):
    api = Account(start(config=f"[DEFAULT]\nhashing_algorithm = {name}\n")).api()
    image = api.create()
    assert api.upload(image, data).status_code == 204
    shown = api.show(image)
    assert shown["os_hash_algo"] == name
    assert shown["os_hash_value"] == hashlib.new(name, data).hexdigest()
    assert shown["checksum"] == hashlib.md5(data).hexdigest()


LARGE = 32 << 20


@pytest.fixture
def large(api):
    """An image that no socket's buffers can hold, and its bytes."""
    content = random.Random(7).randbytes(LARGE)
    image = api.create(name=unique("large"))
    assert api.upload(image, content).status_code == 204
    return image, content


def ask(service, api, image):
    """Asks for an image's bytes, and reads the head of the answer only."""
    token = api.headers["X-Auth-Token"]
    head = f"GET /v2/images/{image}/file HTTP/1.1\r\nHost: test\r\nX-Auth-Token: {token}"
    answer = http.client.HTTPResponse(send(service, head, b""))
    answer.begin()
    assert answer.status == 200
    return answer


def test_readers_that_do_not_read_hold_little_and_nobody_up(service, api, large):
    image, content = large
    assert api.get(f"/v2/images/{image}/file").content == content
    before = service.memory()
    stalled = [ask(service, api, image) for _ in range(24)]
    assert api.get(f"/v2/images/{image}/file").content == content
    assert (service.memory() - before) / len(stalled) < 1.5 * (1 << 20)
    assert stalled[-1].read() == content


def test_a_reader_that_never_goes_on_is_ended(start):
    """Else it keeps images of some stores from being deleted."""
    service = start(config="[DEFAULT]\nclient_socket_timeout = 1\n")
    api = Account(service).api()
    image, content = api.create(), random.Random(7).randbytes(LARGE)
    # Uploads may pause.
    pieces = (time.sleep(1.5) or content[at : at + LARGE // 2] for at in [0, LARGE // 2])
    assert api.upload(image, pieces).status_code == 204
    stalled, slow = ask(service, api, image), ask(service, api, image)
    read = b""
    while piece := slow.read(LARGE // 4):
        read += piece
        time.sleep(0.7)
    assert read == content
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        stalled.read()


def test_a_reader_keeps_an_image_that_is_deleted(service, api, large):
    image, content = large
    answer = ask(service, api, image)
    assert api.delete(f"/v2/images/{image}").status_code == 204
    assert answer.read() == content


def test_a_file_that_becomes_shorter_ends_the_connection(service, api, large):
    image, content = large
    answer = ask(service, api, image)
    os.truncate(service.state / "images" / image, LARGE // 2 + 1)
    with pytest.raises(http.client.IncompleteRead) as ended:
        answer.read()
    came = ended.value.partial
    assert came == content[: len(came)]
    assert len(came) <= LARGE // 2 + 1


def test_a_file_that_is_too_short_is_not_begun(service, api, large):
    image, _ = large
    os.truncate(service.state / "images" / image, LARGE - 1)
    answer = api.get(f"/v2/images/{image}/file")
    assert answer.status_code >= 500
    assert api.get(f"/v2/images/{image}/file", headers={"Range": "bytes=0-9"}).status_code == 206
