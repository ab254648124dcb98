"""A database of its own for a test, of one of the kinds that Glance knows."""

import json
import os
import subprocess
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from differential.peer import services

HERE = Path(__file__).parent
# Kinds, and the variables of which one names a server.
SERVERS = {
    "sqlite": [],
    "mariadb": ["TEST_MYSQL_ADMIN_URL", "TEST_MYSQL_URL"],
    "postgresql": ["TEST_POSTGRES_URL"],
}
DRIVERS = {"mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg2"}


class Database:
    """A fresh one; `url` is its connection string as Glance and tintype both take it."""

    def __init__(self, kind, folder):
        self.kind, self.name = kind, f"side_{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        if kind == "sqlite":
            self.file = folder / f"{self.name}.db"
            self.url = f"sqlite:///{self.file}"
            return
        url = next(filter(None, map(os.environ.get, SERVERS[kind])), None)
        url or pytest.skip(f"none of {', '.join(SERVERS[kind])} is set")
        self.server = f"{DRIVERS[kind]}://{url.split('://', 1)[1]}"
        self.url = urlsplit(self.server)._replace(path=f"/{self.name}").geturl()
        self.on_server(f"CREATE DATABASE {self.name}")

    def drop(self):
        if self.kind == "sqlite":
            self.file.unlink(missing_ok=True)
        else:
            force = " WITH (FORCE)" if self.kind == "postgresql" else ""
            self.on_server(f"DROP DATABASE {self.name}{force}")

    def on_server(self, *statements):
        tables("run", self.server, "\n".join(statements))

    def run(self, *statements):
        tables("run", self.url, "\n".join(statements))

    def rows(self):
        """Every row of every table, by the table's name."""
        return tables("rows", self.url)

    def schema(self):
        return tables("schema", self.url)


def tables(command, url, statements=""):
    program = [environment() / "bin/python", HERE / "tables.py", command, url]
    done = subprocess.run(program, input=statements, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def environment():
    """Glance's, with the driver of PostgreSQL, which the other tests have no use for."""
    venv = services.environment()
    if not list(venv.glob("lib/*/site-packages/psycopg2")):
        pip = [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "psycopg2-binary==2.9.13"], check=True)
    return venv
