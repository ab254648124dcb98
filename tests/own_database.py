"""A database server of a test's own, from `tests/services`, which it ends, kills and starts again."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

SERVICES = Path(__file__).parent / "services"
VARIABLES = {"mariadb": "TEST_MYSQL_URL", "postgresql": "TEST_POSTGRES_URL"}
DRIVERS = {"mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg2"}
# What is committed outlives the server, be it killed.
DURABLE = {
    "mariadb": ["--innodb-flush-log-at-trx-commit=2"],
    "postgresql": ["-c", "synchronous_commit=on", "-c", "full_page_writes=on"],
}


class Server:
    """One of a kind, in a folder that its account can reach; its account is of everybody's rights.

    `where` is its URL as its own clients take it, `url` its connection string in SQLAlchemy's
    spelling; `options` are the server's.
    """

    def __init__(self, kind):
        self.kind, self.options = kind, []
        self.folder = Path(tempfile.mkdtemp(prefix=f"tintype-{kind}-"))
        self.folder.chmod(0o711)

    def start(self, *options):
        """Starts it, or again with the options that it had; skips the test where it is not
        installed."""
        self.options = options or self.options
        done = self._script("start", *self.options)
        if "install the package" in done.stderr:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr + self.log()
        self.where = dict(re.findall(r"(\w+)=(\S+)", done.stdout))[VARIABLES[self.kind]]
        self.url = f"{DRIVERS[self.kind]}://{self.where.split('://', 1)[1]}"
        return self

    def end(self):
        """As an operator ends it; its data stays."""
        done = self._script("stop")
        assert done.returncode == 0, done.stderr

    def close(self):
        self.end()
        shutil.rmtree(self.folder)

    def kill(self):
        """As a power failure would, as far as a process can tell."""
        pid, processes = self.folder / "server/pid", self.processes()
        os.kill(processes[0], signal.SIGKILL)
        pid.unlink()
        # PostgreSQL does not start while there is one of its processes.
        end = time.monotonic() + 30
        while any(Path(f"/proc/{process}").exists() for process in processes):
            assert time.monotonic() < end, "it does not go"
            time.sleep(0.01)

    @contextmanager
    def hanging(self):
        """It is there, is connected to, and answers nothing."""
        processes = self.processes()
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def processes(self):
        """Its own, and those that it has made."""
        pid = int((self.folder / "server/pid").read_text())
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def run(self, sql, user=None):
        """A statement beside the services, by the server's administrator where that is the user;
        returns what it says, a line for each row."""
        command = self.client(user)
        done = subprocess.run([*command, sql], check=True, timeout=30, stdout=subprocess.PIPE, text=True)
        return done.stdout.splitlines()

    @contextmanager
    def locked(self, table):
        """Nobody reads or writes a table, which has others wait."""
        lock, locked = {
            "mariadb": (f"LOCK TABLES {table} WRITE;", "SELECT 'locked';"),
            "postgresql": (f"BEGIN; LOCK TABLE {table};", "SELECT 'locked';"),
        }[self.kind]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(self.client()[:-1], **pipes) as client:
            client.stdin.write(f"{lock} {locked}\n")
            client.stdin.flush()
            assert client.stdout.readline() == "locked\n"
            yield

    def client(self, user=None):
        """The command of its own client, to which a statement is added."""
        to = urlsplit(self.where)
        name = user or to.username
        return {
            "mariadb": [
                *["mariadb", "--no-defaults", f"--host={to.hostname}", f"--port={to.port}"],
                *[f"--user={name}", f"--password={to.password}", "--batch", "--unbuffered"],
                *["--skip-column-names", to.path[1:], "-e"],
            ],
            "postgresql": ["psql", "-qAtX", self.where, "-c"],
        }[self.kind]

    def log(self):
        log = self.folder / "server/log"
        return log.read_text() if log.exists() else ""

    def own(self, *files):
        """Makes files the server's, as it demands of its key."""
        for file in files:
            file.chmod(0o600)
            if os.getuid() == 0:
                shutil.chown(file, "nobody")

    def _script(self, action, *options):
        script = [SERVICES / self.kind, action, self.folder / "server", *options]
        return subprocess.run(script, capture_output=True, text=True, timeout=120)
