"""A database on several hosts of PostgreSQL, of which one takes changes."""

import socket

import pytest
import requests

from own_database import Server
from service import DidNotStart

READ_ONLY = ["-c", "default_transaction_read_only=on"]
PLAIN = ["-c", "default_transaction_read_only=off"]


@pytest.fixture
def hosts(start):
    """Two servers that have Glance's tables, of which the first one takes no changes."""
    servers = [Server("postgresql").start(*PLAIN) for _ in range(2)]
    for server in servers:
        assert serving(start, server.url).stop() == 0
    servers[0].end()
    servers[0].start(*READ_ONLY)
    yield servers
    for server in servers:
        server.close()


def serving(start, connection):
    config = f"[database]\nconnection = {connection}\nmax_retries = 0\n"
    return start(config=config, arguments=["--identity", "none"], catalog="database")


def address(server):
    return server.url.split("@")[1].split("/")[0]


def nobody():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


def silent():
    """A socket that takes connections and never answers."""
    return socket.create_server(("127.0.0.1", 0))


def connection(addresses, parameters="target_session_attrs=read-write"):
    return f"postgresql+psycopg2://glance:tintype@{','.join(addresses)}/glance?{parameters}"


def create(service):
    return requests.post(f"{service.url}/v2/images", json={"name": "x"}).status_code


def test_the_first_host_that_answers_is_taken(start, hosts):
    with silent() as listening:
        quiet = f"127.0.0.1:{listening.getsockname()[1]}"
        addresses = [nobody(), quiet, *map(address, hosts)]
        service = serving(start, connection(addresses, "connect_timeout=1"))
        assert requests.get(f"{service.url}/v2/images").status_code == 200
        assert create(service) == 503


def test_a_host_that_takes_changes_is_found(start, hosts):
    addresses = list(map(address, hosts))
    named = "&".join(f"host={one}" for one in addresses)
    ports = ",".join(one.split(":")[1] for one in addresses)
    wanted = "target_session_attrs=read-write"
    for spelled in [
        connection(addresses),
        connection([], f"{named}&{wanted}"),
        connection([], f"host=127.0.0.1,127.0.0.1&port={ports}&{wanted}"),
    ]:
        service = serving(start, spelled)
        assert create(service) == 201, spelled
        service.stop()


@pytest.mark.parametrize("wanted", ["primary", "read-only"])
def test_a_host_is_passed_over_only_for_what_is_asked(start, hosts, wanted):
    service = serving(start, connection(map(address, hosts), f"target_session_attrs={wanted}"))
    assert create(service) == 503


def test_changes_go_on_where_another_host_takes_them(start, hosts, eventually):
    service = serving(start, connection(map(address, hosts)))
    assert create(service) == 201
    replica, primary = hosts
    primary.end()
    assert create(service) == 503
    replica.end()
    replica.start(*PLAIN)
    eventually(lambda: create(service) == 201)
    # The way back, while the other one goes on as a replica.
    primary.start(*PLAIN)
    replica.end()
    replica.start(*READ_ONLY)
    eventually(lambda: create(service) == 201)


def test_a_start_ends_where_no_host_is_wanted(start, hosts):
    with pytest.raises(DidNotStart, match="target_session_attrs"):
        serving(start, connection([address(hosts[0])]))
