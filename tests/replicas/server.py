"""A database server of a test's own, from `tests/services`, which it ends, kills and starts again."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

SERVICES = Path(__file__).parent.parent / "services"
VARIABLES = {"mariadb": "TEST_MYSQL_URL", "postgresql": "TEST_POSTGRES_URL"}
DRIVERS = {"mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg2"}
# What is committed outlives the server, be it killed.
DURABLE = {
    "mariadb": ["--innodb-flush-log-at-trx-commit=2"],
    "postgresql": ["-c", "synchronous_commit=on", "-c", "full_page_writes=on"],
}


class Database:
    """`url` is its connection string, in SQLAlchemy's spelling."""

    def __init__(self, kind):
        self.kind = kind
        # Its account may be another one, which has to reach it.
        self.folder = Path(tempfile.mkdtemp(prefix=f"tintype-{kind}-"))
        self.folder.chmod(0o711)
        self.where = self.start()[VARIABLES[kind]]
        self.url = f"{DRIVERS[kind]}://{self.where.split('://', 1)[1]}"

    def script(self, action, *options):
        script = [SERVICES / self.kind, action, self.folder / "server", *options]
        return subprocess.run(script, capture_output=True, text=True, timeout=120)

    def start(self):
        """Skips the test where the server is not installed."""
        done = self.script("start", *DURABLE[self.kind])
        if "install the package" in done.stderr:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr
        return dict(re.findall(r"(\w+)=(\S+)", done.stdout))

    def end(self):
        """As an operator ends it; its data stays."""
        done = self.script("stop")
        assert done.returncode == 0, done.stderr

    def kill(self):
        pid = self.folder / "server/pid"
        os.kill(int(pid.read_text()), signal.SIGKILL)
        pid.unlink()

    def run(self, sql):
        """A statement beside the services."""
        to = urlsplit(self.where)
        clients = {
            "mariadb": [
                *["mariadb", "--no-defaults", f"--host={to.hostname}", f"--port={to.port}"],
                *[f"--user={to.username}", f"--password={to.password}", to.path[1:], "-e", sql],
            ],
            "postgresql": ["psql", "--quiet", "--no-psqlrc", self.where, "--command", sql],
        }
        subprocess.run(clients[self.kind], check=True, timeout=30)

    def close(self):
        self.end()
        shutil.rmtree(self.folder)
