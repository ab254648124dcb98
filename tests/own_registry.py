"""The registry under test: a process that holds the catalog for services."""

import re
import secrets
from pathlib import Path

from process import TINTYPE, Process

READY = re.compile(r"tintype: registry on (\S+)")


class Registry(Process):
    """`tintype registry`, started when made, with a secret of its own unless `keys` says otherwise.

    `socket` is the path of one to listen on. `options` are those that it shares with its services; `keys` are lines of `[registry]`, which
    services get as well. `for_services` is a configuration file that leads them here.
    """

    def __init__(self, folder, *options, keys=None, own_keys=None, socket=None):
        folder = Path(folder)
        folder.mkdir(exist_ok=True)
        keys = secret(folder) if keys is None else keys
        own = folder / "registry.conf"
        own.write_text(f"[registry]\n{keys if own_keys is None else own_keys}\n")
        self.command = [TINTYPE, "registry", *options, "--config-file", own]
        where = ["--socket", socket] if socket else ["--listen", "127.0.0.1:0"]
        super().__init__([*self.command, *where], READY)
        self.for_services = folder / "service.conf"
        self.for_services.write_text(f"[registry]\nurl = {self.url}\n{keys}\n")

    def start(self):
        """Starts it again at the same address."""
        super().__init__([*self.command, "--listen", self.url.partition("://")[2]], READY)


def secret(folder):
    """The option that names a secret, which is made."""
    file = folder / "secret"
    file.touch(mode=0o600)
    file.write_text(secrets.token_hex(32))
    return f"secret_file = {file}"
