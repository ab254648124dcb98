"""Certificates of an authority of one's own, made by openssl."""

import shutil
import subprocess

import pytest


class Authority:
    """Signs in a folder; `certificate` is what others trust it by."""

    def __init__(self, folder, name):
        if not shutil.which("openssl"):
            pytest.skip("no openssl, which makes certificates")
        self.folder, self.name = folder, name
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self._make(self.certificate, self.key, f"/CN={name}")

    def sign(self, name, *extensions):
        """A certificate and its key."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        by = ["-CA", self.certificate, "-CAkey", self.key]
        for extension in extensions:
            by += ["-addext", extension]
        self._make(certificate, key, f"/CN={name}", *by)
        return certificate, key

    @staticmethod
    def _make(certificate, key, subject, *options):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"]
        command += ["-subj", subject, "-out", certificate, "-keyout", key, *options]
        subprocess.run(command, check=True, capture_output=True)
