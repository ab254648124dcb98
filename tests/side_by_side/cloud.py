"""Glance and tintype with one configuration, database, set of stores and Keystone.

The Keystone is a tintype's, as in the differential tests: a token means the same to both.
"""

import subprocess
from functools import cached_property

from differential import peer
from differential.peer import services
from service import TINTYPE, Account, Api, Service

from side_by_side.database import Database, environment


class Cloud:
    """A database, folders, a Keystone, and the configuration that both services are started with.

    Each service has a cache of its own, as each node of a Glance has. Glance runs as the end of the
    command `around_glance`.
    """

    around_glance = []

    def __init__(self, folder, kind):
        self.folder = folder
        self.database = Database(kind, folder)
        for part in ["images", "slow", "staging", "tasks", "etc", "cache"]:
            (folder / part).mkdir(parents=True, exist_ok=True)
        self.files = peer.served_files(folder / "served")
        self.keystone = Service(folder / "keystone", arguments=["--identity", "built-in"])
        self.admin = Account(self.keystone)
        self.accounts, self.known = peer.people(self.admin)
        self.tokens = {who: account.token() for who, account in self.accounts.items()}
        self.configuration = self.write_configuration()
        self.running = []

    def write_configuration(self, more=""):
        """The one glance-api.conf, with what Glance needs beside it."""
        folder = self.folder / "etc"
        paste = environment() / "etc/glance/glance-api-paste.ini"
        (folder / "glance-api-paste.ini").write_text(paste.read_text())
        identity = peer.identity(self.admin.auth)
        keystone = peer.KEYSTONE.format(folder=self.folder, identity=identity, **self.admin.auth)
        login = keystone.split("[keystone_authtoken]")[1]
        file = folder / "glance-api.conf"
        file.write_text(
            f"{self.settings(folder / 'glance-api-paste.ini')}"
            f"[database]\nconnection = {self.database.url}\n"
            f"[keystone_authtoken]{login}{more}"
        )
        return file

    def settings(self, paste):
        """The sections of the configuration but those of the database and of Keystone."""
        template = (peer.TEMPLATES / "full.conf").read_text()
        return template.format(
            folder=self.folder, paste=paste, files_port=self.files.server_port
        )

    def manage(self, *arguments, status=0):
        """Runs `glance-manage`; returns what it said."""
        return self.command([environment() / "bin/glance-manage"], arguments, status, first=True)

    def tintype_db(self, *arguments, status=0):
        """Runs `tintype db`; returns what it said."""
        return self.command([TINTYPE, "db"], arguments, status)

    def command(self, program, arguments, status, first=False):
        file = ["--config-file", self.configuration]
        command = [*program, *file, *arguments] if first else [*program, *arguments, *file]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        said = done.stdout + done.stderr
        assert done.returncode == status, f"{command}: {done.returncode}\n{said}"
        return said

    def glance(self):
        """A running Glance."""
        return self.started(Glance(self))

    def tintype(self, **options):
        """A running tintype."""
        return self.started(Tintype(self, **options))

    def started(self, side):
        self.running.append(side)
        return side

    def close(self):
        for side in self.running:
            side.stop()
        self.keystone.kill()
        self.files.shutdown()
        self.database.drop()


class Side:
    """One of the two services; `api()` is a session of requests by one of the people."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.sessions = {}

    def api(self, who="member"):
        if who not in self.sessions:
            self.sessions[who] = Api(self.url, self.cloud.tokens[who])
        return self.sessions[who]

    def __repr__(self):
        return self.name


class Glance(Side):
    name = "Glance"

    def __init__(self, cloud):
        super().__init__(cloud)
        self.process = PeerProcess(cloud)
        self.process.__enter__()
        self.url = self.process.url

    def stop(self):
        if self.process:
            self.process.__exit__(None, None, None)
        self.process = None


class PeerProcess(services.Process):
    """Glance under uWSGI, with the configuration as it is."""

    def __init__(self, cloud):
        # Of each cloud its own: several run at once.
        self.name = f"side-by-side-{cloud.database.name}"
        super().__init__()
        self.cloud = cloud
        (self.folder / "uwsgi.ini").write_text(peer.UWSGI.format(port=self.port))

    @cached_property
    def venv(self):
        return environment()

    def environment(self):
        return services.Glance.environment(self) | {
            "OS_GLANCE_CONFIG_DIR": str(self.cloud.folder / "etc")
        }

    def command(self):
        return [*self.cloud.around_glance, *services.Glance.command(self)]


class Tintype(Side):
    name = "tintype"

    def __init__(self, cloud, arguments=(), **options):
        super().__init__(cloud)
        file = ["--config-file", cloud.configuration]
        state = cloud.folder / "state"
        self.service = Service(state, arguments=[*file, *arguments], **options)
        self.url = self.service.url

    def stop(self):
        if self.service:
            assert self.service.stop() == 0, "".join(self.service.log)
        self.service = None
