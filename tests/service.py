"""The service under test: a process of its own, with a state directory of its own."""

import os
import re
import subprocess
import uuid
from pathlib import Path

import openstack
import requests
import yaml

from own_registry import Registry
from process import TINTYPE, DidNotStart, Process

CATALOG = os.environ.get("CATALOG", "database")
READY = re.compile(r"tintype: serving on (http://\S+)")
PATCH = "application/openstack-images-v2.1-json-patch"


class Service(Process):
    """`tintype serve`, started when made.

    `wrapper` is a command that runs the service, as `nice`; `setup` runs in the child before it;
    `config` is the text of its configuration file; `arguments` are further ones of the command line.
    `listen` is `None` where the configuration says it.
    `catalog` is where its records live: `database`, or a `registry` of its own beside it.
    """

    def __init__(
        self,
        state,
        listen="127.0.0.1:0",
        wrapper=(),
        setup=None,
        config=None,
        arguments=(),
        catalog=CATALOG,
    ):
        self.state = Path(state)
        self.options = ["--state-dir", self.state]
        if config is not None:
            file = self.state.with_name(f"{self.state.name}.conf")
            file.write_text(config)
            self.options += ["--config-file", file]
        self.registry = None
        if catalog == "registry":
            folder = self.state.with_name(f"{self.state.name}.registry")
            self.registry = Registry(folder, *self.options)
            self.options += ["--config-file", self.registry.for_services]
        where = ["--listen", listen] if listen else []
        command = [*wrapper, TINTYPE, "serve", *self.options, *where, *arguments]
        try:
            super().__init__(command, READY, setup)
        except DidNotStart:
            self._end_registry()
            raise

    def stop(self):
        """Asks it to stop, as an operator does, and returns its exit code; the log is whole then."""
        code = super().stop()
        self._end_registry()
        return code

    def kill(self):
        super().kill()
        self._end_registry()

    def _end_registry(self):
        if self.registry:
            self.registry.kill()

    @property
    def clouds_yaml(self):
        return self.state / "clouds.yaml"

    @property
    def credentials(self):
        return yaml.safe_load(self.clouds_yaml.read_text())["clouds"]["tintype"]["auth"]

    def stored_files(self):
        """Everything in the store's directory, in the mount namespace of the service."""
        images = Path(f"/proc/{self.process.pid}/root") / str(self.state / "images").lstrip("/")
        return sorted(str(path.relative_to(images)) for path in images.rglob("*") if path.is_file())

    def memory(self):
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


class Account:
    """Somebody who calls the service: an environment for clients, a session for requests."""

    def __init__(self, service, username=None, password=None, project=None):
        own = service.credentials
        self.service = service
        self.auth = {
            "auth_url": own["auth_url"],
            "username": username or own["username"],
            "password": password or own["password"],
            "project_name": project or own["project_name"],
            "user_domain_name": own["user_domain_name"],
            "project_domain_name": own["project_domain_name"],
        }

    @property
    def environment(self):
        variables = {f"OS_{name.upper()}": value for name, value in self.auth.items()}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        return clean | variables | {"OS_IDENTITY_API_VERSION": "3", "PYTHONWARNINGS": "ignore"}

    def run(self, *command, status=0, **options):
        """Runs a client; returns its standard output, or both outputs when it should fail."""
        options = {"env": self.environment, "timeout": 120} | options
        # A terminal: the clients take a standard input that is none for the bytes of an image.
        terminal, stdin = os.openpty()
        try:
            done = subprocess.run(
                [str(part) for part in command],
                stdin=stdin,
                capture_output=True,
                text=True,
                **options,
            )
        finally:
            os.close(terminal)
            os.close(stdin)
        said = f"$ {' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
        assert (done.returncode == 0) == (status == 0), f"{said}exit code {done.returncode}"
        return done.stdout if status == 0 else done.stdout + done.stderr

    def sdk(self):
        return openstack.connect(load_yaml_config=False, load_envvars=False, auth=self.auth)

    def api(self):
        """A session of `requests` with a token, for what no client would send."""
        return Api(self.service.url, self.token())

    def token(self):
        domain = {"name": self.auth["user_domain_name"]}
        user = {"name": self.auth["username"], "password": self.auth["password"], "domain": domain}
        project = {"name": self.auth["project_name"], "domain": domain}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": project},
            }
        }
        answer = requests.post(f"{self.auth['auth_url']}/auth/tokens", json=body, timeout=30)
        answer.raise_for_status()
        return answer.headers["X-Subject-Token"]


class Api(requests.Session):
    """Requests relative to the image endpoint."""

    def __init__(self, url, token):
        super().__init__()
        self.url = url
        self.headers["X-Auth-Token"] = token
        self.headers["Accept"] = "application/json"

    def request(self, method, path, **options):
        return super().request(method, self.url + path, **({"timeout": 120} | options))

    def create(self, **fields):
        """A queued image that is ready to receive bytes; returns its id."""
        fields = {"name": "test", "disk_format": "raw", "container_format": "bare"} | fields
        answer = self.post("/v2/images", json=fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def upload(self, image, data, **headers):
        headers = {"Content-Type": "application/octet-stream"} | headers
        return self.put(f"/v2/images/{image}/file", data=data, headers=headers)

    def change(self, image, operations):
        headers = {"Content-Type": PATCH}
        return self.patch(f"/v2/images/{image}", json=operations, headers=headers)

    def show(self, image):
        answer = self.get(f"/v2/images/{image}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, image):
        return self.show(image)["status"]


def unique(word):
    """A name that no other test uses."""
    return f"{word}-{uuid.uuid4().hex[:8]}"
