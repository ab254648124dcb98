"""Connections to a server that are not what they were: they are left, and new ones made."""

import time

import requests

from databases.crowd import crowd, sessions
from firewall import Firewall

ALONE = ["--identity", "none"]
LISTS = 12


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


def test_connections_that_were_lost_in_silence_cost_one_trial(start, eventually, postgresql):
    with Firewall(postgresql.url) as firewall:
        config = f"[database]\nconnection = {firewall.url}\n"
        service = start(config=config, arguments=ALONE)
        crowd(service, postgresql, eventually, LISTS, expected=LISTS)
        firewall.forget()
        # So long a connection is not tried before it is used.
        time.sleep(0.5)
        # Each trial takes five seconds.
        answer = requests.get(f"{service.url}/v2/images", timeout=2 * 5)
        assert answer.status_code == 200
