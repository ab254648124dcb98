"""Stores by their own clients."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import measure
from measure import digesting, finish, socket_to_a_reader, source
from services import HERE, WORK, json_request, say

SERVICES = HERE.parent / "tests/services"
MIB = 1 << 20


class Store:
    """A store by its own client: commands that bring a file there, and its bytes nowhere, or to standard
    output. Whatever puts or gets returns MB/s."""

    client, needs, servers, known_to_glance = "cp", None, [], True
    # Of uploads to either service.
    headers = []

    def __init__(self):
        self.kept = f"bench-{uuid.uuid4()}"

    @classmethod
    def is_there(cls):
        """Whether its client is installed, and a variable names its server."""
        if not shutil.which(cls.client):
            say(f"{cls.name} is left out: there is no {cls.client}")
            return False
        return cls.needs is None or cls.needs in os.environ

    def put(self, keep=False):
        path, start = source(), time.monotonic()
        self.run(*self.command_up(path))
        result = measure.rate(1, start)
        if not keep:
            self.remove()
        return result

    def put_with_the_same_work(self):
        """What a service does besides is done at the same time, by a program each: the bytes go through
        a socket, and both digests are taken."""
        path, start = source(), time.monotonic()
        with socket_to_a_reader() as end:
            beside = [subprocess.Popen(["cat", path], stdout=end), *digesting(path)]
            self.run(*self.command_up(path))
            finish(beside)
        result = measure.rate(1, start)
        self.remove()
        return result

    def get(self):
        start = time.monotonic()
        self.run(*self.command_down())
        return measure.rate(1, start)

    def get_with_the_same_work(self):
        """To another process, through a socket."""
        start = time.monotonic()
        with socket_to_a_reader() as end:
            self.run(*self.command_out(), stdout=end)
        return measure.rate(1, start)

    def run(self, *command, stdout=subprocess.DEVNULL):
        environment = os.environ | self.environment()
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=environment)
        if done.returncode:
            sys.exit(f"{command}: {done.stderr.decode()}")

    def environment(self):
        return {}


class File(Store):
    """cp, and a sync: what is stored is on the disk."""

    name, up, down = "file", "cp, sync", "cp"

    def options(self):
        return "filesystem_store_datadir = {folder}/images"

    def command_up(self, path):
        return ["sh", "-c", 'cp --reflink=never "$0" "$1" && sync "$1"', path, WORK / self.kept]

    def command_down(self):
        return ["cp", WORK / self.kept, "/dev/null"]

    def command_out(self):
        return ["cat", WORK / self.kept]

    def remove(self):
        (WORK / self.kept).unlink()


class Rbd(Store):
    name, up, down = "rbd", "rbd import", "rbd export"
    client, needs, servers = "rbd", "TEST_CEPH_CONF", ["ceph"]

    def __init__(self):
        super().__init__()
        self.conf, self.user, self.pool = (
            os.environ[f"TEST_CEPH_{name}"] for name in ["CONF", "USER", "POOL"]
        )
        self.rbd = ["rbd", "--conf", self.conf, "--id", self.user]

    def options(self):
        return (
            f"rbd_store_ceph_conf = {self.conf}\nrbd_store_user = {self.user}\n"
            f"rbd_store_pool = {self.pool}"
        )

    def command_up(self, path):
        return [*self.rbd, "import", "--object-size", "8M", path, f"{self.pool}/{self.kept}"]

    def command_down(self):
        return [*self.rbd, "export", f"{self.pool}/{self.kept}", "-"]

    def command_out(self):
        return self.command_down()

    def remove(self):
        self.run(*self.rbd, "rm", f"{self.pool}/{self.kept}")


class S3(Store):
    name, up, down = "s3", "aws s3 cp", "aws s3 cp"
    client, needs, servers = "aws", "TEST_RGW_S3_ENDPOINT", ["ceph"]

    def __init__(self):
        super().__init__()
        self.endpoint = os.environ[self.needs]
        self.s3 = ["aws", "--endpoint-url", self.endpoint, "--region", "us-east-1", "s3"]
        self.run(*self.s3, "mb", f"s3://{self.kept}")

    def environment(self):
        return {
            "AWS_ACCESS_KEY_ID": os.environ["TEST_RGW_S3_ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": os.environ["TEST_RGW_S3_SECRET_KEY"],
        }

    def options(self):
        key, secret = self.environment().values()
        return (
            f"s3_store_host = {self.endpoint}\ns3_store_bucket = images\n"
            f"s3_store_access_key = {key}\ns3_store_secret_key = {secret}\n"
            "s3_store_create_bucket_on_put = true"
        )

    def command_up(self, path):
        return [*self.s3, "cp", "--only-show-errors", path, f"s3://{self.kept}/image"]

    def command_down(self):
        return [*self.s3, "cp", "--only-show-errors", f"s3://{self.kept}/image", "/dev/null"]

    def command_out(self):
        return [*self.s3, "cp", "--only-show-errors", f"s3://{self.kept}/image", "-"]

    def remove(self):
        self.run(*self.s3, "rm", f"s3://{self.kept}/image")


class Swift(Store):
    """Segments as large as those of tintype are. Glance has log-ins of Keystone only, and takes the
    account from a file when there are several stores. Of an upload of a known length it announces a
    whole segment where the last one is shorter, and fails: so uploads are of unknown length."""

    name, up, down = "swift", "swift upload", "swift download"
    client, needs, servers = "swift", "TEST_SWIFT_KEYSTONE", ["keystone", "swift"]
    headers = ["Transfer-Encoding: chunked"]
    segment = 200 * MIB

    def __init__(self):
        super().__init__()
        auth, user, key = (os.environ[f"TEST_SWIFT_{name}"] for name in ["AUTH", "USER", "KEY"])
        self.swift = ["swift", "-A", auth, "-U", user, "-K", key]
        into_catalog("object-store", f"{os.environ[self.needs]}%(project_id)s")

    def options(self):
        file = WORK / "swift.conf"
        file.write_text(
            f"[bench]\nauth_version = 3\nauth_address = {os.environ['TEST_KEYSTONE_URL']}\n"
            f"user = admin:admin\nkey = {os.environ['TEST_KEYSTONE_PASSWORD']}\n"
            "user_domain_id = default\nproject_domain_id = default\n"
        )
        return (
            f"swift_store_config_file = {file}\ndefault_swift_reference = bench\n"
            "swift_store_create_container_on_put = true\nswift_store_large_object_size = 200"
        )

    def command_up(self, path):
        segment = ["--segment-size", str(self.segment)]
        return [*self.swift, "upload", *segment, "--object-name", "image", self.kept, path]

    def command_down(self):
        return [*self.swift, "download", "--output", "/dev/null", self.kept, "image"]

    def command_out(self):
        return [*self.swift, "download", "--output", "-", self.kept, "image"]

    def remove(self):
        self.run(*self.swift, "delete", self.kept, "image")


def into_catalog(kind, url):
    """Enters a service into Keystone's catalog."""
    keystone = os.environ["TEST_KEYSTONE_URL"]
    user = {"name": "admin", "password": os.environ["TEST_KEYSTONE_PASSWORD"], "domain": DEFAULT}
    auth = {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": "admin", "domain": DEFAULT}},
    }
    request = json_request("POST", f"{keystone}/auth/tokens", {"auth": auth})
    with urllib.request.urlopen(request, timeout=60) as answer:
        token = answer.headers["X-Subject-Token"]

    def make(what, **fields):
        request = json_request("POST", f"{keystone}/{what}s", {what: fields}, token)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)[what]["id"]

    service = make("service", type=kind, name=kind)
    make("endpoint", service_id=service, interface="public", url=url)


DEFAULT = {"id": "default"}


class GridFs(Store):
    """MongoDB's own driver for Python. The server is that of the tests, which is ours: MongoDB's can't
    be installed."""

    name, up, down = "gridfs", "PyMongo's put", "PyMongo's get"
    client, needs, servers, known_to_glance = "sh", "TEST_MONGODB_URI", ["mongodb"], False
    database = "bench"

    def __init__(self):
        super().__init__()
        self.uri = os.environ[self.needs]
        requirements = "services/mongo/requirements.txt"
        script = f". ./environment && environment {requirements}"
        said = subprocess.check_output(["bash", "-c", script], cwd=SERVICES.parent, text=True)
        program = [Path(said.strip()) / "bin/python", HERE / "peer/gridfs_copy.py"]
        self.copy = [*program, self.uri, self.database, self.kept]

    def options(self):
        return f"mongodb_store_uri = {self.uri}\nmongodb_store_db = {self.database}"

    def command_up(self, path):
        return [*self.copy, "put", path]

    def command_down(self):
        return [*self.copy, "get", "/dev/null"]

    def command_out(self):
        return [*self.copy, "get", "-"]

    def remove(self):
        self.run(*self.copy, "delete")
