"""How many connections a service has to a server, by the words of oslo.db."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from databases.crowd import crowd, sessions

REQUESTS = 60


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"max_pool_size": 2, "max_overflow": 3}, 5),
        ({"max_pool_size": 0, "max_overflow": 1}, REQUESTS),
        ({"max_overflow": -1, "connection_recycle_time": -1, "db_max_retries": -1}, REQUESTS),
    ],
)
def test_a_service_has_so_many(start, eventually, postgresql, options, expected):
    options = {"connection": postgresql.url, **options}
    lines = [f"{name} = {value}" for name, value in options.items()]
    config = "\n".join(["[database]", *lines])
    service = start(config=config, arguments=["--identity", "none"])
    crowd(service, postgresql, eventually, REQUESTS, expected)
    # They stay open for a while.
    most = len(sessions(postgresql))
    assert most == expected if expected < REQUESTS else most >= expected


def test_a_request_waits_for_a_connection_as_long_as_options_say(start, eventually, postgresql):
    options = "max_pool_size = 1\nmax_overflow = 0\npool_timeout = 1\n"
    config = f"[database]\nconnection = {postgresql.url}\n{options}"
    service = start(config=config, arguments=["--identity", "none"])
    with ThreadPoolExecutor(2) as pool:
        with postgresql.locked("images"):
            lists = [pool.submit(requests.get, f"{service.url}/v2/images") for _ in range(2)]
            # One has the connection; the other one gives up, which would take 30 seconds.
            eventually(lambda: any(answer.done() for answer in lists), limit=15)
        answers = sorted(answer.result().status_code for answer in lists)
    assert answers == [200, 503]
