"""What is measured: Glance as its own settings run it, tintype, and nginx as the limit.

Each is a process of its own on 127.0.0.1 with its data below one work folder, so that all of them
use the same disk.
"""

import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tintype-bench"
GLANCE = os.environ.get("GLANCE_VERSION", "33.0.0")
PROCESSES = 4
# How long a start may take, in seconds: where the machine builds besides, Glance needs minutes.
PATIENCE = 180


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Process:
    """A service that runs while its `with` block does."""

    name = ""

    def __init__(self):
        self.folder = WORK / self.name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = "none"

    def __enter__(self):
        log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            self.command(),
            stdout=log,
            stderr=log,
            cwd=self.folder,
            env=os.environ | self.environment(),
            start_new_session=True,
        )
        self.wait_until_ready()
        return self

    def __exit__(self, failure, *_):
        if failure:
            said = (self.folder / "log").read_text(errors="replace").splitlines()
            say("\n".join([f"The last of what {self.name} said:", *said[-30:]]))
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        return {}

    def wait_until_ready(self):
        end = time.monotonic() + PATIENCE
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{self.name} did not start:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.1)

    def is_ready(self):
        try:
            urllib.request.urlopen(self.url + "/versions", timeout=5).close()
        except OSError:
            return False
        return True

    def memory(self):
        """Resident memory of the process and its children, in bytes."""
        children = (
            Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        )
        return sum(resident(pid) for pid in [self.process.pid, *children])


def program(name):
    """A daemon's program, which is not in every user's PATH."""
    return shutil.which(name) or f"/usr/sbin/{name}"


def resident(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Tintype(Process):
    """The release build with its embedded database, or the one at `connection`.

    Everybody is an administrator, as on the peer here; `tokens` makes it ask for one and check it.
    """

    def __init__(self, tokens=False, connection=None, name="tintype", options=""):
        self.name = f"{name}-tokens" if tokens else name
        self.tokens = tokens
        super().__init__()
        self.config = self.folder / "glance-api.conf"
        database = f"[database]\nconnection = {connection}\n" if connection else ""
        options = options.format(folder=self.folder)
        self.config.write_text(f"[DEFAULT]\n{options}\n{database}")

    def command(self):
        identity = "built-in" if self.tokens else "none"
        return [
            binary(),
            "serve",
            "--config-file",
            self.config,
            "--state-dir",
            self.folder / "state",
            "--listen",
            f"127.0.0.1:{self.port}",
            "--identity",
            identity,
            "--log",
            "error",
        ]

    def __enter__(self):
        super().__enter__()
        if self.tokens:
            self.token = self.log_in()
        return self

    def log_in(self, user=None, project=None):
        """A token; of the administrator that the first start has made, unless others are named."""
        lines = (self.folder / "state/clouds.yaml").read_text().splitlines()
        found = dict(line.strip().split(": ", 1) for line in lines if ": " in line)
        user = user or {
            "name": found["username"],
            "password": found["password"].strip('"'),
            "domain": {"id": "default"},
        }
        project = project or {"name": found["project_name"], "domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": project}}}
        request = json_request("POST", f"{found['auth_url']}/auth/tokens", body)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers["X-Subject-Token"]


def synchronize(service, *options):
    """Makes the tables of a service of tintype before it starts."""
    command = [binary(), "db", "sync", "--config-file", service.config, *options]
    subprocess.run(command, check=True, capture_output=True)


def json_request(method, url, body, token="none"):
    headers = {"Content-Type": "application/json", "X-Auth-Token": token}
    return urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)


def binary():
    """`TINTYPE`, or the release build, made when it is not there."""
    if "TINTYPE" in os.environ:
        return os.environ["TINTYPE"]
    root = HERE.parent
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=root, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release/tintype"


class MariaDB(Process):
    """The peer's database, reached by a socket only.

    With SQLite, Glance fails when four write at once.
    """

    name = "mariadb"
    options = []

    def __enter__(self):
        self.user = getpass.getuser()
        install = [
            "mariadb-install-db",
            "--no-defaults",
            "--auth-root-authentication-method=normal",
        ]
        install += [f"--user={self.user}", f"--datadir={self.folder / 'data'}"]
        subprocess.run(install, check=True, capture_output=True)
        super().__enter__()
        self.client("-e", "CREATE DATABASE glance")
        return self

    def command(self):
        data = self.folder / "data"
        folders = [f"--datadir={data}", f"--tmpdir={self.folder}", f"--socket={self.socket}"]
        return [
            program("mariadbd"),
            "--no-defaults",
            f"--user={self.user}",
            "--skip-networking",
            *folders,
            *self.options,
        ]

    @property
    def socket(self):
        return self.folder / "socket"

    def is_ready(self):
        return self.client("-e", "SELECT 1", check=False).returncode == 0

    def client(self, *arguments, check=True):
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", *arguments]
        return subprocess.run(command, check=check, capture_output=True)


# Options of `[DEFAULT]`, and what follows them.
ONE_STORE = """enabled_backends = images:file
[glance_store]
default_backend = images
[images]
filesystem_store_datadir = {folder}/images"""
# What the drivers of stores need besides; those of Ceph are Debian's.
DRIVERS = ["boto3", "python-swiftclient"]


class Glance(Process):
    """The peer: Glance from PyPI under uWSGI with Glance's own settings, MariaDB, and a file store or
    the given ones.

    In the place of Keystone's middleware a filter makes everybody an administrator.
    """

    name = "glance"

    def __init__(self, server=None, stores=ONE_STORE):
        """In the database `glance` of a server that runs already, or of one of its own."""
        super().__init__()
        self.stores = stores.format(folder=self.folder)
        self.server, self.own = server, contextlib.ExitStack()

    def __enter__(self):
        self.venv = environment()
        self.database = self.server or self.own.enter_context(MariaDB())
        self.configure()
        manage = [
            self.venv / "bin/glance-manage",
            "--config-file",
            self.folder / "glance-api.conf",
            "db_sync",
        ]
        subprocess.run(manage, check=True, capture_output=True)
        return super().__enter__()

    def __exit__(self, *why):
        super().__exit__(*why)
        self.own.close()

    def environment(self):
        path = f"{self.venv / 'bin'}:{os.environ['PATH']}"
        return {
            "OS_GLANCE_CONFIG_DIR": str(self.folder),
            "PYTHONPATH": str(HERE / "peer"),
            "PATH": path,
        }

    def command(self):
        return [self.venv / "bin/uwsgi", "--ini", self.folder / "uwsgi.ini"]

    def configure(self):
        for template in ["glance-api.conf", "uwsgi.ini"]:
            text = (HERE / "peer" / template).read_text()
            text = text.format(
                folder=self.folder,
                port=self.port,
                processes=PROCESSES,
                socket=self.database.socket,
                stores=self.stores,
            )
            (self.folder / template).write_text(text)
        for folder in ["images", "staging", "tasks"]:
            (self.folder / folder).mkdir()
        paste = (self.venv / "etc/glance/glance-api-paste.ini").read_text()
        theirs = "paste.filter_factory = keystonemiddleware.auth_token:filter_factory"
        assert theirs in paste, "Glance's pipeline is not as expected"
        paste = paste.replace(theirs, "paste.filter_factory = everybody:is_admin")
        (self.folder / "glance-api-paste.ini").write_text(paste)


def environment():
    """Glance in a Python environment of its own, kept for the next run."""
    venv = WORK / f"venv-glance-{GLANCE}"
    if not (venv / "complete").exists():
        say(f"Installing Glance {GLANCE} into {venv} (two minutes)")
        shutil.rmtree(venv, ignore_errors=True)
        python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
        subprocess.run([python, "-m", "venv", venv], check=True)
        pip = [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"glance=={GLANCE}", "pymysql", "uwsgi", *DRIVERS], check=True)
        [packages] = venv.glob("lib/*/site-packages")
        for module in Path("/usr/lib/python3/dist-packages").glob("r*d*.cpython-*.so"):
            (packages / module.name).symlink_to(module)
        (venv / "complete").touch()
    return venv


class Nginx(Process):
    """The limit of a download: a file by sendfile."""

    name = "nginx"

    def __enter__(self):
        (self.folder / "files").mkdir()
        (self.folder / "files/versions").touch()
        text = (HERE / "peer/nginx.conf").read_text()
        text = text.replace("FOLDER", str(self.folder)).replace("PORT", str(self.port))
        (self.folder / "nginx.conf").write_text(text)
        return super().__enter__()

    def command(self):
        return [
            program("nginx"),
            "-p",
            self.folder,
            "-c",
            self.folder / "nginx.conf",
            "-e",
            self.folder / "error.log",
        ]
