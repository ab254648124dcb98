"""Connections to a server that are not what they were: they are left, and new ones made."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from own_database import Server

ALONE = ["--identity", "none"]
LISTS = 12


@pytest.fixture(scope="module")
def postgresql():
    server = Server("postgresql").start()
    yield server
    server.close()


def test_a_server_that_takes_no_changes_any_more_is_left(start, eventually, postgresql):
    service = start(config=f"[database]\nconnection = {postgresql.url}\n", arguments=ALONE)
    create(service).raise_for_status()
    read_only(postgresql, "on")
    # Sessions that are there learn of it some moment later.
    eventually(lambda: create(service).status_code == 503)
    before = sessions(postgresql)
    read_only(postgresql, "off")
    eventually(lambda: create(service).status_code == 201)
    assert not before & sessions(postgresql)


def read_only(server, word):
    server.run(f"ALTER SYSTEM SET default_transaction_read_only = {word}")
    server.run("SELECT pg_reload_conf()")


def create(service):
    return requests.post(f"{service.url}/v2/images", json={})


def sessions(server):
    return set(server.run("SELECT pid FROM pg_stat_activity WHERE application_name = 'tintype'"))


def test_connections_that_were_lost_in_silence_cost_one_trial(start, eventually, postgresql):
    with Relay(postgresql.url) as relay:
        config = f"[database]\nconnection = {relay.url}\n"
        service = start(config=config, arguments=ALONE)
        with ThreadPoolExecutor(LISTS) as pool:
            with postgresql.locked("images"):
                # No two of them can share a statement.
                pages = [f"{service.url}/v2/images?limit={limit + 1}" for limit in range(LISTS)]
                lists = [pool.submit(requests.get, page) for page in pages]
                eventually(lambda: len(sessions(postgresql)) >= LISTS)
            assert {answer.result().status_code for answer in lists} == {200}
        relay.forget()
        # So long a connection is not tried before it is used.
        time.sleep(0.5)
        # Each trial takes five seconds.
        answer = requests.get(f"{service.url}/v2/images", timeout=2 * 5)
        assert answer.status_code == 200


class Relay:
    """Hands on what comes and goes, as a firewall does; `forget` has it drop what comes on the
    connections that there are, and nobody is told."""

    def __init__(self, url):
        to = urlsplit(url)
        self.to = (to.hostname, to.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        self.url = to._replace(netloc=to.netloc.replace(str(to.port), str(port))).geturl()
        self.known, self.forgotten = [], set()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for end in [self.listener, *self.known]:
            end.close()

    def forget(self):
        self.forgotten |= set(self.known)

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.to)
            self.known += [near, far]
            for ends in [(near, far), (far, near)]:
                threading.Thread(target=self._hand_on, args=ends, daemon=True).start()

    def _hand_on(self, source, sink):
        try:
            while data := source.recv(65536):
                if source not in self.forgotten:
                    sink.sendall(data)
            if source not in self.forgotten:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
