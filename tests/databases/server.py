"""Database servers that a test starts for itself, with options of its own."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SERVICES = Path(__file__).parent.parent / "services"


class Server:
    """One of `tests/services`, in a folder that its account can reach."""

    def __init__(self, kind):
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix=f"tintype-{kind}-"))
        self.folder.chmod(0o711)

    def start(self, *options):
        """The variables that say where it is; skips the test where the server is not installed."""
        script = [SERVICES / self.kind, "start", self.folder / "server", *options]
        done = subprocess.run(script, capture_output=True, text=True)
        if "install the package" in done.stderr:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr + self.log()
        return dict(re.findall(r"(\w+)=(\S+)", done.stdout))

    def log(self):
        log = self.folder / "server/log"
        return log.read_text() if log.exists() else ""

    def stop(self):
        subprocess.run([SERVICES / self.kind, "stop", self.folder / "server"], check=True)
        shutil.rmtree(self.folder)

    def own(self, *files):
        """Makes files the server's, as it demands of its key."""
        for file in files:
            file.chmod(0o600)
            if os.getuid() == 0:
                shutil.chown(file, "nobody")
