"""What becomes of services whose registry goes, comes back, or is another one."""

import signal
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service import Account, DidNotStart

# Seconds after which a request must have been answered: a service waits for three seconds for a
# registry that is gone.
GONE = 8
# The same for a registry that is there and says nothing: ten seconds more, for a sign of life.
HANGS = GONE + 10


class Load(threading.Thread):
    """Creates and lists images until it is stopped."""

    def __init__(self, account):
        super().__init__()
        self.api = account.api()
        self.created, self.failed, self.slowest = [], [], 0.0
        self.ends = False

    def run(self):
        while not self.ends:
            self.ask("POST", json={"disk_format": "raw", "container_format": "bare"})
            self.ask("GET", params={"limit": 25})

    def ask(self, method, **options):
        began = time.monotonic()
        answer = self.api.request(method, "/v2/images", **options)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if not answer.ok:
            self.failed.append((answer.status_code, answer.headers.get("Retry-After")))
        elif method == "POST":
            self.created.append(answer.json()["id"])


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_restart_under_load_is_answered_503_and_then_forgotten(
    registry, served_by, eventually, end
):
    there = registry()
    account = Account(served_by(there))
    loads = [Load(account) for _ in range(4)]
    for load in loads:
        load.start()
    eventually(lambda: all(load.created for load in loads))
    getattr(there, end)()
    eventually(lambda: all(load.failed for load in loads))
    before = [len(load.created) for load in loads]
    there.start()
    grown = lambda: all(
        len(load.created) > count for load, count in zip(loads, before, strict=True)
    )
    eventually(grown)
    for load in loads:
        load.ends = True
    for load in loads:
        load.join()
    assert {failure for load in loads for failure in load.failed} == {(503, "10")}
    assert max(load.slowest for load in loads) < GONE
    api = account.api()
    for image in [image for load in loads for image in load.created]:
        assert api.status(image) == "queued"


def test_without_a_registry_requests_are_refused_at_once(registry, served_by, eventually):
    there = registry()
    service = served_by(there)
    api = Account(service).api()
    there.kill()
    eventually(lambda: api.get("/v2/images").status_code == 503)
    began = time.monotonic()
    for _ in range(20):
        answer = api.get("/v2/images")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert time.monotonic() - began < 2
    assert service.said("no connection to the registry")


def test_a_service_waits_for_its_registry(registry, served_by):
    there = registry()
    there.kill()
    with ThreadPoolExecutor() as starting:
        service = starting.submit(served_by, there)
        with pytest.raises(TimeoutError):
            service.result(timeout=1)
        there.start()
        service = service.result(timeout=30)
    assert service.said("no connection to the registry")
    assert Account(service).api().get("/v2/images").status_code == 200


def test_while_a_registry_hangs_requests_are_refused_and_then_forgotten(
    registry, served_by, eventually
):
    there = registry()
    account = Account(served_by(there))
    image = account.api().create()
    api = account.api()
    there.process.send_signal(signal.SIGSTOP)
    try:
        # The first one finds out that it hangs; for later ones that is known.
        for limit in [HANGS, GONE]:
            began = time.monotonic()
            answer = api.get(f"/v2/images/{image}")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
            assert time.monotonic() - began < limit
    finally:
        there.process.send_signal(signal.SIGCONT)
    eventually(lambda: api.get(f"/v2/images/{image}").status_code == 200, limit=GONE)
    assert api.change(image, [{"op": "add", "path": "/after", "value": "1"}]).ok


GREETING = struct.Struct("<8sI16sB5s")


def test_another_version_is_told_on_both_sides(registry, served_by, eventually):
    there = registry(keys="")
    host, port = there.url.removeprefix("tcp://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as newer:
        newer.sendall(GREETING.pack(b"tintype\n", 99, bytes(16), 5, b"9.0.0"))
        mark, version, _, _, _ = GREETING.unpack(newer.recv(GREETING.size, socket.MSG_WAITALL))
        assert mark == b"tintype\n" and version != 99
        assert newer.recv(1) == b""
    words = "the service (tintype 9.0.0) speaks version 99 of the protocol, "
    words += f"this tintype speaks version {version}"
    eventually(lambda: there.said(words))

    with socket.create_server(("127.0.0.1", 0)) as newer:
        answering = threading.Thread(target=greet, args=[newer], daemon=True)
        answering.start()
        url = f"tcp://127.0.0.1:{newer.getsockname()[1]}"
        words = "the registry .tintype 9.0.0. speaks version 99.*upgrade the older one"
        with pytest.raises(DidNotStart, match=words):
            served_by(there, keys="", url=url)


def greet(server):
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        client.sendall(GREETING.pack(b"tintype\n", 99, bytes(16), 5, b"9.0.0"))


def test_who_says_nothing_does_not_keep_others_out(registry, served_by, eventually):
    there = registry()
    host, port = there.url.removeprefix("tls://").rsplit(":", 1)
    silent = [socket.create_connection((host, int(port)), timeout=30) for _ in range(400)]
    try:
        assert Account(served_by(there)).api().get("/v2/images").status_code == 200
        eventually(lambda: there.said("too many others came"))
    finally:
        for connection in silent:
            connection.close()
