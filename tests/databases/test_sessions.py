"""What connections to a server begin with."""

import pytest
import requests

from own_database import Server

# An option, and what each connection begins with then, and doesn't.
OPTIONS = [
    ("", "sql_mode = 'TRADITIONAL'", "wsrep_sync_wait"),
    ("mysql_sql_mode = ANSI", "sql_mode = 'ANSI'", "wsrep_sync_wait"),
    ("mysql_sql_mode =", "time_zone = '+00:00'", "sql_mode"),
    ("mysql_wsrep_sync_wait = 7", "wsrep_sync_wait = 7", "ANSI"),
]

REFUSED = "{} can't contain 4 byte unicode characters."


@pytest.fixture(scope="module")
def mariadb():
    server = Server("mariadb").start("--general-log", "--log-output=TABLE")
    yield server
    server.close()


def serving(start, mariadb, option):
    config = f"[database]\nconnection = {mariadb.url}\n{option}\n"
    return start(config=config, arguments=["--identity", "none"], catalog="database")


@pytest.mark.parametrize("option, sent, other", OPTIONS)
def test_connections_begin_with_what_options_say(start, mariadb, option, sent, other):
    mariadb.run("TRUNCATE mysql.general_log", user="root")
    service = serving(start, mariadb, option)
    said = "SELECT CONCAT(thread_id, ' ', argument) FROM mysql.general_log"
    said = [line.split(" ", 1) for line in mariadb.run(said, user="root")]
    begun = {thread: words for thread, words in said if words.startswith("SET NAMES")}
    asks = {thread for thread, words in said if "alembic_version" in words}
    assert asks and all(sent in begun[thread] for thread in asks)
    assert not any(other in begun[thread] for thread in asks)
    assert service.stop() == 0


def test_characters_that_glances_tables_have_no_room_for_are_refused(start, mariadb):
    images = f"{serving(start, mariadb, '').url}/v2/images"
    image = requests.post(images, json={"name": "x"}).json()["id"]
    patch = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    change = [{"op": "add", "path": "/p", "value": "🦀"}]
    answers = {
        "Name": requests.post(images, json={"name": "🦀"}),
        "Value": requests.patch(f"{images}/{image}", json=change, headers=patch),
        "Param values": requests.get(images, params={"name": "🦀"}),
    }
    for what, answer in answers.items():
        assert answer.status_code == 400, what
        assert REFUSED.format(what) in answer.text.replace("&#x27;", "'"), answer.text
    assert requests.put(f"{images}/{image}/tags/🦀").status_code == 400
    assert requests.get(f"{images}/{image}").json()["tags"] == []
