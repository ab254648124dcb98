"""Glance and tintype on one database and the same stores."""

import subprocess
from pathlib import Path

from side_by_side.cloud import Cloud
from side_by_side.database import environment

SEVERAL = """
enabled_backends = {backends}
enabled_import_methods = [glance-direct,web-download,copy-image]
show_multiple_locations = true
show_image_direct_url = true
worker_self_reference_url = http://127.0.0.1:9292
[glance_store]
default_backend = file
[os_glance_staging_store]
filesystem_store_datadir = {folder}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {folder}/tasks
{sections}
"""

ONE = """
show_multiple_locations = true
show_image_direct_url = true
node_staging_uri = file://{folder}/staging
[glance_store]
stores = {kind},http
default_store = {kind}
{section}
"""


class Folder:
    """The store of kind file, as the places of `places.py`."""

    kind, secrets = "file", []

    def __init__(self, path):
        self.path = path
        path.mkdir()

    def section(self):
        return f"filesystem_store_datadir = {self.path}"

    def held(self, image):
        return sorted(path.name for path in self.path.iterdir() if path.name.startswith(image))

    def layout(self, image, size):
        return [image]

    def named(self, image):
        return image

    def around_glance(self):
        return []

    def read(self, name):
        return (self.path / name).read_bytes()


class StoresCloud(Cloud):
    """One with `several` stores that have names, or with `one` by the options of old; both services
    run."""

    def __init__(self, folder, places, mode):
        self.places, self.mode = places, mode
        install_clients()
        self.around_glance = [word for place in places.values() for word in place.around_glance()]
        super().__init__(folder, "sqlite")
        self.manage("db", "sync")
        self.sides = {"Glance": self.glance(), "tintype": self.tintype()}

    def settings(self, paste):
        return (
            f"[DEFAULT]{getattr(self, self.mode)()}\n"
            f"[oslo_concurrency]\nlock_path = {self.folder}\n"
            f"[privsep_osbrick]\nhelper_command = {environment()}/bin/privsep-helper\n"
            f"[paste_deploy]\nconfig_file = {paste}\nflavor = keystone\n"
        )

    def several(self):
        names = self.places.items()
        return SEVERAL.format(
            folder=self.folder,
            backends=",".join(f"{name}:{place.kind}" for name, place in names),
            sections="\n".join(
                f"[{name}]\n{place.section(**self.reference(name, place))}" for name, place in names
            ),
        )

    def one(self):
        [place] = self.places.values()
        return ONE.format(folder=self.folder, kind=place.kind, section=place.section())

    def reference(self, name, place):
        """An account of Swift by its name in a file, so that no location has a password in it."""
        if place.kind != "swift":
            return {}
        given = place.options()
        account = {part: given[f"swift_store_{part}"] for part in REFERRED}
        lines = [f"{part} = {value}" for part, value in account.items()]
        file = self.folder / "etc" / f"{name}.conf"
        file.write_text("\n".join([f"[of_{name}]", *lines, ""]))
        return {"swift_store_config_file": file, "default_swift_reference": f"of_{name}"}


REFERRED = ["auth_address", "auth_version", "user", "key"]


def install_clients():
    """Glance's environment with what its drivers need."""
    venv = environment()
    if not list(venv.glob("lib/*/site-packages/os_brick")):
        wanted = Path(__file__).with_name("requirements.txt")
        pip = [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", wanted], check=True)
