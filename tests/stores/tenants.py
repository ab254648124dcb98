"""A cloud whose users have accounts in Swift of their own, and services that keep images there."""

import os

import swiftclient

from service import unique
from side_by_side import cloud
from side_by_side.database import Database, environment
from stores.glance import install_clients

# glance_store's "mixed meaning of MB".
MB = 1000 * 1024
LARGE, PART = 10 * MB, 5 * MB

DEFAULT = """
enabled_backends = tenants:swift,file:file
enabled_import_methods = [glance-direct,web-download,copy-image]
show_multiple_locations = true
worker_self_reference_url = http://127.0.0.1:9292
"""

SECTIONS = """
[glance_store]
default_backend = tenants
[tenants]
swift_store_multi_tenant = true
swift_store_create_container_on_put = true
swift_store_container = {container}
swift_store_region = {region}
swift_store_large_object_size = {large}
swift_store_large_object_chunk_size = {part}
swift_store_admin_tenants = {admins}
{login}
[file]
filesystem_store_datadir = {folder}/images
[os_glance_staging_store]
filesystem_store_datadir = {folder}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {folder}/tasks
[import_filtering_opts]
allowed_hosts = [127.0.0.1]
allowed_ports = [80, {port}]
"""


class Tenants:
    """What the users' accounts hold of images; Keystone's region and users are those of `keystone`.

    The service's own user administers all accounts, as `tests/services/swift` has it.
    """

    def __init__(self, keystone):
        keystone.serve_objects_at(f"{os.environ['TEST_SWIFT_KEYSTONE']}%(project_id)s")
        self.keystone, self.container = keystone, unique("tintype")
        self.admins = keystone.glance.project_id
        self.people = {name: getattr(keystone, name) for name in ["member", "other", "admin"]}
        self.swift = {name: self._connection(account) for name, account in self.people.items()}

    def _connection(self, account):
        region = {"region_name": self.keystone.region}
        return swiftclient.Connection(session=account.sdk().session, os_options=region)

    def sections(self, folder, port=80):
        glance = self.keystone.glance.auth
        login = {
            "auth_address": self.keystone.url,
            "user": f"{glance['project_name']}:{glance['username']}",
            "key": glance["password"],
        }
        return SECTIONS.format(
            container=self.container,
            region=self.keystone.region,
            large=LARGE // MB,
            part=PART // MB,
            admins=self.admins,
            login="\n".join(f"swift_store_{name} = {value}" for name, value in login.items()),
            folder=folder,
            port=port,
        )

    def account(self, who):
        """The URL of somebody's account."""
        return self.swift[who].get_auth()[0]

    def container_of(self, image):
        return f"{self.container}_{image}"

    def containers(self, who):
        """Those of images in somebody's account."""
        listed = self.swift[who].get_account(prefix=self.container, full_listing=True)[1]
        return [container["name"] for container in listed]

    def held(self, image, who="member"):
        """What somebody's account holds of an image: names and lengths."""
        container = self.container_of(image)
        if container not in self.containers(who):
            return None
        listed = self.swift[who].get_container(container, full_listing=True)[1]
        return [(entry["name"], entry["bytes"]) for entry in listed]

    def access(self, image, who="member"):
        """Who may read an image's container, and who may write."""
        headers = self.swift[who].head_container(self.container_of(image))
        return headers.get("x-container-read", ""), headers.get("x-container-write", "")


def layout(image, size, segmented):
    """What an account should hold of an image."""
    if not segmented:
        return [(image, size)]
    sizes = [min(PART, size - at) for at in range(0, size, PART)]
    return [(image, 0), *((f"{image}-{n:05}", part) for n, part in enumerate(sizes, 1))]


class TenantsCloud(cloud.Cloud):
    """Glance and tintype on one database, with the accounts of one cloud."""

    def __init__(self, folder, tenants):
        install_clients()
        self.folder, self.tenants = folder, tenants
        self.database = Database("sqlite", folder)
        for part in ["images", "staging", "tasks", "etc", "cache"]:
            (folder / part).mkdir(parents=True, exist_ok=True)
        self.tokens = {who: account.token() for who, account in tenants.people.items()}
        self.configuration = self.write_configuration()
        self.running = []
        self.manage("db", "sync")
        self.sides = {"Glance": self.glance(), "tintype": self.tintype()}

    def write_configuration(self):
        paste = self.folder / "etc/glance-api-paste.ini"
        paste.write_text((environment() / "etc/glance/glance-api-paste.ini").read_text())
        more = f"[database]\nconnection = {self.database.url}\n{self.tenants.sections(self.folder)}"
        file = self.tenants.keystone.config(
            self.folder / "etc/glance-api.conf", default=DEFAULT, more=more
        )
        flavor = "[paste_deploy]\n"
        file.write_text(file.read_text().replace(flavor, f"{flavor}config_file = {paste}\n"))
        return file

    def close(self):
        for side in self.running:
            side.stop()
        self.database.drop()
