"""Glance and tintype side by side: the same configuration, the same identity, an account for each
kind of caller.

tintype's own Keystone serves both, so that a token means the same to both: Glance asks it through
keystonemiddleware, as it would any Keystone.
"""

import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from differential import notices
from service import TINTYPE, Account, Service

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import services  # noqa: E402

TEMPLATES = Path(__file__).parent / "configurations"

UWSGI = """
[uwsgi]
socket-timeout = 30
http-auto-chunked = true
http-chunked-input = true
http-raw-body = true
lazy-apps = true
add-header = Connection: close
buffer-size = 65535
thunder-lock = true
enable-threads = true
die-on-term = true
master = true
processes = 1
threads = 4
http-socket = 127.0.0.1:{port}
module = glance.wsgi.api:application
disable-logging = true
"""

KEYSTONE = """
[database]
connection = sqlite:///{folder}/glance.db?timeout=60
[keystone_authtoken]
www_authenticate_uri = {identity}
auth_url = {auth_url}
auth_type = password
username = {username}
password = {password}
project_name = {project_name}
user_domain_name = {user_domain_name}
project_domain_name = {project_domain_name}
"""


class Glance(services.Glance):
    """The peer on SQLite, as tintype is: so that both sort and compare texts alike."""

    def __init__(self, name, configuration, auth):
        # Of each run and configuration its own: several run at once.
        self.name = f"differential-{name}-{os.getpid()}"
        super().__init__()
        self.configuration, self.auth = configuration, auth

    def __enter__(self):
        self.venv = services.environment()
        self.configure()
        manage = [self.venv / "bin/glance-manage", "--config-file", self.folder / "glance-api.conf"]
        subprocess.run([*manage, "db_sync"], check=True, capture_output=True)
        definitions = [*manage, "db_load_metadefs", self.venv / "etc/glance/metadefs"]
        subprocess.run(definitions, check=True, capture_output=True)
        return services.Process.__enter__(self)

    def __exit__(self, *why):
        services.Process.__exit__(self, *why)

    def configure(self):
        keystone = KEYSTONE.format(folder=self.folder, identity=identity(self.auth), **self.auth)
        (self.folder / "glance-api.conf").write_text(self.configuration(self.folder) + keystone)
        (self.folder / "uwsgi.ini").write_text(UWSGI.format(port=self.port))
        paste = (self.venv / "etc/glance/glance-api-paste.ini").read_text()
        (self.folder / "glance-api-paste.ini").write_text(paste)


def identity(auth):
    """Where clients are sent for a token: the built-in Keystone without its version."""
    return auth["auth_url"].removesuffix("/v3")


class Side:
    """One of the two services: its URL, its log, and what it called the things that were made on
    it."""

    def __init__(self, name, service, folder, tokens, known, log):
        self.name, self.url, self.folder, self.tokens = name, service.url, str(folder), tokens
        self.known, self.log = known, log


class Pair:
    """Both services with one configuration, started when made."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.text = (TEMPLATES / f"{name}.conf").read_text()
        self.files = served_files(folder / "www")
        self.tintype = Service(
            folder / "state",
            config=self.configuration(folder / "tintype"),
            arguments=["--identity", "built-in"],
        )
        try:
            self.start_glance()
        except BaseException:
            self.tintype.kill()
            raise

    def start_glance(self):
        admin = Account(self.tintype)
        accounts, known = people(admin)
        self.glance = Glance(self.name, self.configuration, admin.auth)
        self.glance.__enter__()
        self.load_definitions(self.glance.venv / "etc/glance/metadefs")
        tokens = {who: account.token() for who, account in accounts.items()}
        known["identity"] = identity(admin.auth)
        known["files"] = f"http://127.0.0.1:{self.files.server_port}"
        self.sides = [
            Side(
                "Glance", self.glance, self.glance.folder, tokens, dict(known),
                notices.of_file(self.glance.folder / "log"),
            ),
            Side(
                "tintype", self.tintype, self.folder / "tintype", tokens, dict(known),
                notices.of_lines(self.tintype.log),
            ),
        ]  # fmt: skip

    def load_definitions(self, folder):
        """One by one, in the folder's order: so Glance takes them, and so it lists them."""
        load = [TINTYPE, "db", "load-metadefs", "--state-dir", self.tintype.state]
        for name in os.listdir(folder):
            if name.endswith(".json"):
                subprocess.run([*load, folder / name], check=True, capture_output=True)

    def configuration(self, folder):
        """The text of a glance-api.conf whose data is below `folder`."""
        for part in ["images", "slow", "staging", "tasks", "cache"]:
            (folder / part).mkdir(parents=True, exist_ok=True)
        flavors = {"folder": folder, "paste": folder / "glance-api-paste.ini"}
        return self.text.format(files_port=self.files.server_port, **flavors)

    def stop(self):
        self.glance.__exit__(None, None, None)
        self.files.shutdown()
        assert self.tintype.stop() == 0, "".join(self.tintype.log)


def served_files(folder):
    """A web server for what is imported from the web."""
    folder.mkdir()
    (folder / "disk.raw").write_bytes(b"bytes from the web\n" * 100)
    handler = partial(QuietHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


# Who calls, in which project and with which roles.
PEOPLE = [
    ("member", "one", ["member"]),
    ("reader", "one", ["reader"]),
    ("other", "two", ["member"]),
]


def people(admin):
    """Accounts by name, and the projects' ids as requests name them: `{one}`, `{two}`."""
    cloud = admin.sdk()
    accounts = {"admin": admin}
    known = {"admin": cloud.current_project_id}
    for user, project, roles in PEOPLE:
        if project not in known:
            made = cloud.identity.create_project(name=project, domain_id="default")
            known[project] = made.id
        made = cloud.identity.create_user(name=user, password="secret", domain_id="default")
        for role in roles:
            role = cloud.identity.find_role(role, ignore_missing=False)
            cloud.identity.assign_project_role_to_user(known[project], made, role)
        accounts[user] = Account(admin.service, user, "secret", project)
    return accounts, known
