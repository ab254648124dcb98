"""Catalogs in each kind of database: servers of their own, with room for a million images."""

import glob
import os
import shutil
import subprocess
from pathlib import Path

from services import WORK, MariaDB, Process


class SqliteFiles:
    """Files beside each other."""

    label = "SQLite"

    def __enter__(self):
        self.folder = WORK / "sqlite"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def connection(self, name):
        return f"sqlite:///{self.folder / name}.db"


class MariaDBServer(MariaDB):
    """MariaDB; a commit is on disk when it returns."""

    label = "MariaDB"
    options = [
        "--innodb-buffer-pool-size=1G",
        "--innodb-log-file-size=1G",
        "--max-connections=500",
    ]

    def connection(self, name):
        """Of a database that is made when it is not there."""
        self.client("-e", f"CREATE DATABASE IF NOT EXISTS {name}")
        return f"mysql+pymysql://root@localhost/{name}?unix_socket={self.socket}"

    def statements(self):
        """How many it was sent so far."""
        said = self.client("-N", "-e", "SHOW GLOBAL STATUS LIKE 'Questions'").stdout
        return int(said.split()[1])


class PostgreSQLServer(Process):
    """PostgreSQL; a commit is on disk when it returns. It refuses to run as root."""

    label = "PostgreSQL"
    name = "postgresql"

    def __init__(self):
        super().__init__()
        self.account = []
        if os.getuid() == 0:
            shutil.rmtree(self.folder)
            self.folder = Path("/var/tmp/tintype-bench-postgresql")
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            shutil.chown(self.folder, "nobody", "nogroup")
            self.account = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]

    def __enter__(self):
        data = self.folder / "data"
        initdb = [postgresql("initdb"), "-D", data, "-U", "glance", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*self.account, *initdb, "--locale=C.UTF-8"],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )
        super().__enter__()
        self.client("postgres", "CREATE EXTENSION pg_stat_statements")
        return self

    def command(self):
        settings = ["shared_buffers=512MB", "max_wal_size=4GB", "max_connections=500"]
        settings += ["shared_preload_libraries=pg_stat_statements"]
        options = [word for setting in settings for word in ["-c", setting]]
        place = ["-D", self.folder / "data", "-k", self.folder, "-h", "", "-p", str(self.port)]
        return [*self.account, postgresql("postgres"), *place, *options]

    def is_ready(self):
        return self.client("postgres", "SELECT 1").returncode == 0

    def client(self, database, sql):
        place = ["-h", self.folder, "-p", str(self.port), "-U", "glance", "-d", database]
        command = [postgresql("psql"), "-qAtX", *place, "-c", sql]
        return subprocess.run(command, capture_output=True, text=True)

    def connection(self, name):
        """Of a database that is made when it is not there."""
        self.client("postgres", f"CREATE DATABASE {name}")
        return f"postgresql://glance@localhost:{self.port}/{name}?host={self.folder}"

    def statements(self):
        """How many it was sent so far."""
        return int(self.client("postgres", "SELECT sum(calls) FROM pg_stat_statements").stdout)


def postgresql(program):
    """Debian keeps a version's programs apart."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{program}"))
    return found[-1] if found else shutil.which(program) or program


KINDS = {"sqlite": SqliteFiles, "mariadb": MariaDBServer, "postgresql": PostgreSQLServer}
