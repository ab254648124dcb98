"""What connections to a server begin with."""

import pytest

from own_database import Server


@pytest.fixture(scope="module")
def mariadb():
    server = Server("mariadb").start("--general-log", "--log-output=TABLE")
    yield server
    server.close()


@pytest.mark.parametrize("option, sent", [("mysql_wsrep_sync_wait = 7", True), ("", False)])
def test_reads_wait_for_the_other_nodes_of_a_galera_cluster_where_they_are_to(
    start, mariadb, option, sent
):
    mariadb.run("TRUNCATE mysql.general_log", user="root")
    config = f"[database]\nconnection = {mariadb.url}\n{option}\n"
    service = start(config=config, arguments=["--identity", "none"], catalog="database")
    said = "SELECT CONCAT(thread_id, ' ', argument) FROM mysql.general_log"
    said = [line.split(" ", 1) for line in mariadb.run(said, user="root")]
    waits = {thread for thread, words in said if "SESSION wsrep_sync_wait = 7" in words}
    asks = {thread for thread, words in said if "alembic_version" in words}
    assert asks and (asks <= waits if sent else not waits)
    assert service.stop() == 0
