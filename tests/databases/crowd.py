"""Many requests at once, each with a connection of its own to the database."""

from concurrent.futures import ThreadPoolExecutor

import requests


def crowd(service, server, eventually, size, expected):
    """So many lists wait for a table until the service has as many connections as are expected; then
    all of them are answered."""
    with ThreadPoolExecutor(size) as pool:
        with server.locked("images"):
            # No two of them can share a statement.
            pages = [f"{service.url}/v2/images?limit={limit + 1}" for limit in range(size)]
            lists = [pool.submit(requests.get, page) for page in pages]
            eventually(lambda: len(sessions(server)) >= expected)
        assert {answer.result().status_code for answer in lists} == {200}


def sessions(server):
    """The service's connections, to a PostgreSQL."""
    return set(server.run("SELECT pid FROM pg_stat_activity WHERE application_name = 'tintype'"))
