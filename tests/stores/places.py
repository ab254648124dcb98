"""The stores whose servers are there: their options in a glance-api.conf, what is secret of them, and
what their servers hold, as the servers' usual clients tell it.

Images from `large` bytes on are in parts of `part`. Neither is more than `LARGE` and `PART`, the least
that S3 takes.
"""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

import boto3
import gridfs
import openstack
import pymongo
import swiftclient
from botocore.config import Config

from mounts import with_mount
from service import unique

MIB = 1 << 20
LARGE = 10 * MIB
PART = 5 * MIB


class Place:
    """Where the images of one run are, and nothing else. `mb` is what its options count in."""

    mb = MIB

    @property
    def large(self):
        return LARGE // MIB * self.mb

    @property
    def part(self):
        return PART // MIB * self.mb

    def __init__(self):
        self.bucket = unique("tintype")

    @property
    def port(self):
        """Where its server listens, if that is one process of this machine."""
        return None

    def wrong(self, secret):
        """Options with a secret that the server does not take; none where it takes everybody."""

    def section(self, **more):
        """The options of a store there."""
        return "\n".join(f"{name} = {value}" for name, value in (self.options() | more).items())

    def names(self):
        """What its server holds, in order."""
        return sorted(self.listed())

    def named(self, image):
        """What its locations have of an image."""
        return image

    def around_glance(self):
        """The beginning of the command that runs a Glance which can use it."""
        return []

    def held(self, image):
        """What its server holds of an image, in order."""
        return [name for name in self.names() if name.startswith(image)]

    def close(self):
        for name in self.names():
            self.remove(name)


class S3(Place):
    kind, needs, known_to_glance = "s3", "TEST_RGW_S3_ENDPOINT", True
    detail = {
        "s3_store_large_object_size": LARGE,
        "s3_store_large_object_chunk_size": PART,
        "s3_store_thread_pools": 10,
    }

    def __init__(self):
        super().__init__()
        self.url, self.key, self.secret = (
            os.environ[f"TEST_RGW_S3_{name}"] for name in ["ENDPOINT", "ACCESS_KEY", "SECRET_KEY"]
        )
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )
        self.client.create_bucket(Bucket=self.bucket)

    @property
    def port(self):
        return port_of(self.url)

    @property
    def secrets(self):
        return [self.secret]

    def options(self):
        return {
            # By a name, as buckets may be in the hosts of URLs.
            "s3_store_host": self.url.replace("127.0.0.1", "localhost"),
            "s3_store_access_key": self.key,
            "s3_store_secret_key": self.secret,
            "s3_store_bucket": self.bucket,
            "s3_store_large_object_size": LARGE // MIB,
            "s3_store_large_object_chunk_size": PART // MIB,
        }

    def wrong(self, secret):
        return {"s3_store_secret_key": secret}

    def at(self, url):
        """Options of another server."""
        return {"s3_store_host": url}

    def layout(self, image, size):
        """What the server should hold of an image."""
        return [image]

    def listed(self):
        uploads = self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        objects = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [entry["Key"] for entry in objects + uploads]

    def read(self, name):
        return self.client.get_object(Bucket=self.bucket, Key=name)["Body"].read()

    def remove(self, name):
        self.client.delete_object(Bucket=self.bucket, Key=name)

    def close(self):
        super().close()
        self.client.delete_bucket(Bucket=self.bucket)


class S3ByPath(S3):
    """With buckets in the paths of URLs, because the options say so."""

    def options(self):
        return super().options() | {"s3_store_bucket_url_format": "path"}


class Swift(Place):
    """With log-ins of its own: version 1."""

    kind, needs, server = "swift", "TEST_SWIFT_AUTH", "TEST_SWIFT"
    # glance_store's "mixed meaning of MB".
    mb = 1000 * 1024
    # Glance has logged in with Keystone alone since glance_store 5.
    known_to_glance = False
    # What temporary URLs are signed with.
    digest = "sha256"

    def __init__(self):
        super().__init__()
        self.log_in()
        self.client.put_container(self.bucket)

    def log_in(self):
        self.auth, self.user, self.key = (
            os.environ[f"{self.server}_{name}"] for name in ["AUTH", "USER", "KEY"]
        )
        self.client = swiftclient.Connection(self.auth, self.user, self.key)

    @property
    def detail(self):
        return {
            "container": self.bucket,
            "large_object_size": self.large,
            "large_object_chunk_size": self.part,
        }

    @property
    def port(self):
        return port_of(self.auth)

    @property
    def secrets(self):
        return [self.key]

    def options(self):
        return {
            "swift_store_auth_address": self.auth,
            "swift_store_auth_version": 1,
            "swift_store_user": self.user,
            "swift_store_key": self.key,
            "swift_store_container": self.bucket,
            "swift_store_large_object_size": LARGE // MIB,
            "swift_store_large_object_chunk_size": PART // MIB,
        }

    def wrong(self, secret):
        return {"swift_store_key": secret}

    def at(self, url):
        return {"swift_store_auth_address": f"{url}/auth/v1.0"}

    def sending_on(self, key):
        """Further options of a store that sends clients to its server, where this is the account's key
        from now on."""
        self.client.post_account({"X-Account-Meta-Temp-URL-Key": key})
        return {"swift_temp_url_key": key, "swift_temp_url_digest": self.digest}

    def layout(self, image, size):
        if size < self.large:
            return [image]
        return [image, *(f"{image}-{number:05}" for number in range(1, -(-size // self.part) + 1))]

    def listed(self):
        return [entry["name"] for entry in self.client.get_container(self.bucket, full_listing=True)[1]]

    def read(self, name):
        return self.client.get_object(self.bucket, name)[1]

    def remove(self, name):
        self.client.delete_object(self.bucket, name)

    def close(self):
        super().close()
        self.client.delete_container(self.bucket)


class Gateway(Swift):
    """The RADOS Gateway's imitation of Swift."""

    needs, server = "TEST_RGW_SWIFT_AUTH", "TEST_RGW_SWIFT"
    # Of Ceph 16, which knows no other.
    digest = "sha1"


class KeystoneSwift(Swift):
    """With Keystone's log-ins, and its catalog."""

    needs, known_to_glance = "TEST_SWIFT_KEYSTONE", True

    def __init__(self, cloud):
        self.cloud = cloud
        cloud.serve_objects_at(f"{os.environ['TEST_SWIFT_KEYSTONE']}%(project_id)s")
        super().__init__()

    def log_in(self):
        member = self.cloud.member
        self.auth, self.key = self.cloud.url, member.auth["password"]
        self.user = f"{member.auth['project_name']}:{member.auth['username']}"
        session, region = member.sdk().session, {"region_name": self.cloud.region}
        self.client = swiftclient.Connection(session=session, os_options=region)

    @property
    def port(self):
        return port_of(os.environ[self.needs])

    def options(self):
        return super().options() | {
            "swift_store_auth_version": 3,
            "swift_store_region": self.cloud.region,
        }

    def at(self, url):
        return {"swift_store_auth_address": f"{url}/v3"}


class Rbd(Place):
    """A pool of a Ceph, which Ceph's own `rbd` reads. What is there already is left alone."""

    kind, needs, known_to_glance = "rbd", "TEST_CEPH_CONF", True
    # Of Ceph's keys: their kind (AES), a time, and their length.
    KEY = struct.pack("<HIIH", 1, 0, 0, 16)

    def __init__(self, conf=None):
        super().__init__()
        self.conf = Path(conf or os.environ[self.needs])
        self.user, self.pool = (os.environ[f"TEST_CEPH_{name}"] for name in ["USER", "POOL"])
        self.folder = tempfile.TemporaryDirectory()
        self.before = set(self.listed())

    @property
    def detail(self):
        lines = self.conf.read_text().splitlines()
        [fsid] = [line.split("=")[1].strip() for line in lines if line.startswith("fsid")]
        return {"chunk_size": 8 * MIB, "pool": self.pool, "thin_provisioning": False, "fsid": fsid}

    @property
    def secrets(self):
        keyring = self.conf.with_name(f"client.{self.user}.keyring")
        lines = keyring.read_text().splitlines()
        return [line.split("=", 1)[1].strip() for line in lines if "key =" in line]

    def options(self):
        return {
            "rbd_store_ceph_conf": self.conf,
            "rbd_store_user": self.user,
            "rbd_store_pool": self.pool,
        }

    def wrong(self, secret):
        key = base64.b64encode(self.KEY + secret.encode()[:16].ljust(16)).decode()
        keyring, account = Path(self.folder.name) / "keyring", f"client.{self.user}"
        keyring.write_text(f"[{account}]\nkey = {key}\n")
        text = f"{self.conf.read_text()}\n[{account}]\nkeyring = {keyring}\n"
        return {"rbd_store_ceph_conf": self.written("wrong.conf", text)}

    def at(self, url):
        host = f"v2:{urllib.parse.urlsplit(url).netloc}"
        text = f"[global]\nmon host = {host}\nauth client required = none\n"
        return {"rbd_store_ceph_conf": self.written("away.conf", text), "rados_connect_timeout": 1}

    def written(self, name, text):
        file = Path(self.folder.name) / name
        file.write_text(text)
        return file

    def layout(self, image, size):
        return [image]

    def listed(self):
        trash = [line.split()[1] for line in self.rbd("trash", "ls", self.pool).decode().splitlines()]
        return [*self.rbd("ls", self.pool).decode().split(), *trash]

    def read(self, name):
        return self.rbd("export", f"{self.pool}/{name}", "-")

    def info(self, name):
        """What `rbd` tells of an image, or of its snapshot."""
        return json.loads(self.rbd("info", "--format", "json", f"{self.pool}/{name}"))

    def remove(self, name):
        if name in self.before:
            return
        if self.rbd("snap", "ls", f"{self.pool}/{name}"):
            self.rbd("snap", "unprotect", f"{self.pool}/{name}@snap")
            self.rbd("snap", "rm", f"{self.pool}/{name}@snap")
        self.rbd("rm", f"{self.pool}/{name}")

    def rbd(self, *words):
        command = [*self.program(), *words]
        done = subprocess.run(command, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def program(self):
        return ["rbd", "--conf", self.conf, "--id", self.user]

    def close(self):
        super().close()
        self.folder.cleanup()


class Cinder(Place):
    """Volumes in the project of Keystone's administrator. They are in the pool `volumes` of a Ceph, so
    Glance reads and writes them by os-brick without the kernel."""

    kind, needs, known_to_glance = "cinder", "TEST_CINDER_URL", True
    detail = {"volume_type": None, "use_multipath": False}

    def __init__(self):
        super().__init__()
        self.ceph = Rbd()
        self.auth = {
            "auth_url": os.environ["TEST_KEYSTONE_URL"],
            "username": "admin",
            "password": os.environ["TEST_KEYSTONE_PASSWORD"],
            "project_name": "admin",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        cloud = openstack.connect(load_yaml_config=False, load_envvars=False, auth=self.auth)
        self.volumes = cloud.block_storage
        self.before = set(self.listed())
        self.keyrings = tempfile.TemporaryDirectory()

    @property
    def port(self):
        return port_of(os.environ[self.needs])

    @property
    def secrets(self):
        return [self.auth["password"], *self.ceph.secrets]

    def options(self):
        return {
            "cinder_store_auth_address": self.auth["auth_url"],
            "cinder_store_user_name": self.auth["username"],
            "cinder_store_password": self.auth["password"],
            "cinder_store_project_name": self.auth["project_name"],
            "rbd_store_ceph_conf": self.ceph.conf,
        }

    def wrong(self, secret):
        return {"cinder_store_password": secret}

    def at(self, url):
        return {"cinder_store_auth_address": f"{url}/v3"}

    def layout(self, image, size):
        return [image]

    def listed(self):
        return [volume.name.removeprefix("image-") for volume in self.volumes.volumes()]

    def named(self, image):
        return self.volume(image).id

    def around_glance(self):
        """os-brick finds keyrings in one folder alone."""
        account = f"client.{self.ceph.user}.keyring"
        shutil.copy(self.ceph.conf.with_name(account), Path(self.keyrings.name) / f"ceph.{account}")
        return with_mount(f"--bind {self.keyrings.name}", "/etc/ceph")

    def volume(self, name):
        [volume] = self.volumes.volumes(details=True, name=f"image-{name}")
        return volume

    def read(self, name):
        volume = self.volume(name)
        command = [*self.ceph.program(), "export", f"volumes/volume-{volume.id}", "-"]
        # Of a volume of whole gibibytes the image is the beginning.
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as export:
            data = export.stdout.read(int(volume.metadata["image_size"]))
            export.kill()
        return data

    def remove(self, name):
        if name not in self.before:
            self.volumes.delete_volume(self.volume(name))

    def close(self):
        super().close()
        self.ceph.close()
        self.keyrings.cleanup()


class MongoDB(Place):
    """Files of GridFS, and their chunks, which are numbered. It is read with MongoDB's own driver."""

    kind, needs, known_to_glance, detail = "gridfs", "TEST_MONGODB_URI", False, {}
    CHUNK = 255 * 1024

    def __init__(self):
        super().__init__()
        self.uri = os.environ[self.needs]
        self.parts = urllib.parse.urlsplit(self.uri)
        self.client = pymongo.MongoClient(self.uri)
        self.database = self.client[self.bucket]
        self.files = gridfs.GridFS(self.database)

    @property
    def port(self):
        return self.parts.port

    @property
    def secrets(self):
        return [self.parts.password]

    def options(self):
        return {"mongodb_store_uri": self.uri, "mongodb_store_db": self.bucket}

    def wrong(self, secret):
        return {"mongodb_store_uri": self.uri.replace(f":{self.parts.password}@", f":{secret}@")}

    def at(self, url):
        other = urllib.parse.urlsplit(url)
        account = f"{self.parts.username}:{self.parts.password}"
        return {"mongodb_store_uri": self.parts._replace(netloc=f"{account}@{other.netloc}").geturl()}

    def layout(self, image, size):
        chunks = -(-size // self.CHUNK)
        return [image, *(f"{image}-{number:05}" for number in range(chunks))]

    def listed(self):
        chunks = self.database.fs.chunks.find(projection=["files_id", "n"])
        return [
            *(file["_id"] for file in self.database.fs.files.find()),
            *(f"{chunk['files_id']}-{chunk['n']:05}" for chunk in chunks),
        ]

    def read(self, name):
        return self.files.get(name).read()

    def close(self):
        self.client.drop_database(self.bucket)
        self.client.close()


class Vmware(Place):
    """Files in a directory of a datastore, which is one of this machine, too."""

    # Glance's driver needs a library of its own for its log-in.
    kind, needs, known_to_glance, detail = "vmware", "TEST_VMWARE_HOST", False, {}

    def __init__(self):
        super().__init__()
        self.host, self.user, self.password, self.authorities, datastores, self.files = (
            os.environ[f"TEST_VMWARE_{name}"]
            for name in ["HOST", "USER", "PASSWORD", "CA_FILE", "DATASTORES", "FILES"]
        )
        self.datastore = datastores.split(",")[0]

    @property
    def port(self):
        return port_of(f"https://{self.host}")

    @property
    def secrets(self):
        return [self.password]

    def options(self):
        return {
            "vmware_server_host": self.host,
            "vmware_server_username": self.user,
            "vmware_server_password": self.password,
            "vmware_ca_file": self.authorities,
            "vmware_datastores": self.datastore,
            "vmware_store_image_dir": f"/{self.bucket}",
            "vmware_api_retry_count": 3,
        }

    def wrong(self, secret):
        return {"vmware_server_password": secret}

    def at(self, url):
        return {"vmware_server_host": urllib.parse.urlsplit(url).netloc}

    def layout(self, image, size):
        return [image]

    def paths(self):
        return {path.name: path for path in Path(self.files).glob(f"*/{self.bucket}/*")}

    def listed(self):
        return list(self.paths())

    def read(self, name):
        return self.paths()[name].read_bytes()

    def remove(self, name):
        self.paths()[name].unlink()


class Sheepdog(Place):
    """VDIs and their objects, which are numbered, of a server of ours that tells what it holds."""

    kind, needs, known_to_glance, detail = "sheepdog", "TEST_SHEEPDOG_ADDRESS", False, {}
    secrets = []
    OBJECT = 4 * MIB

    def __init__(self):
        super().__init__()
        self.address, self.teller = (
            urllib.parse.urlsplit(f"//{os.environ[f'TEST_SHEEPDOG_{name}']}")
            for name in ["ADDRESS", "HELD"]
        )

    @property
    def port(self):
        return self.address.port

    def options(self):
        return self.at(self.address.geturl())

    def at(self, url):
        address = urllib.parse.urlsplit(url)
        return {"sheepdog_store_address": address.hostname, "sheepdog_store_port": address.port}

    def layout(self, image, size):
        objects = -(-size // self.OBJECT)
        return [image, *(f"{image}-{number:05}" for number in range(objects))]

    def listed(self):
        # `VDI NAME:TAG`, or `VDI.INDEX` of an object.
        lines = [line.partition(" ") for line in self.read("").decode().splitlines()]
        names = {vdi: name.partition(":")[0] for vdi, _, name in lines if name}
        objects = [entry.split(".") for entry, _, name in lines if not name]
        numbered = [f"{names.get(vdi, 'lost')}-{int(index):05}" for vdi, index in objects]
        return [*names.values(), *numbered]

    def read(self, name):
        with socket.create_connection((self.teller.hostname, self.teller.port)) as teller:
            teller.sendall(f"{name}\n".encode())
            return teller.makefile("rb").read()

    def close(self):
        """What is there goes with its server."""


def port_of(url):
    return urllib.parse.urlsplit(url).port


# By the name that tests have for them.
PLACES = {
    "rbd": Rbd,
    "s3": S3,
    "s3_by_path": S3ByPath,
    "swift": Swift,
    "swift_of_gateway": Gateway,
    "swift_of_keystone": KeystoneSwift,
    "gridfs": MongoDB,
    "cinder": Cinder,
    "vmware": Vmware,
    "sheepdog": Sheepdog,
}


def missing(name):
    """The variable that has to be set for a place, where it is not."""
    return None if os.environ.get(PLACES[name].needs) else PLACES[name].needs
