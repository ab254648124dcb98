"""Commands with mounts of their own, which nobody else sees."""

import subprocess

import pytest

_OWN = ["unshare", "--map-root-user", "--mount", "sh", "-c"]


def with_mount(what, place):
    """What runs a command where `mount WHAT PLACE` was done; the test is skipped where users may
    not."""
    if subprocess.run([*_OWN, "mount -t tmpfs none /mnt"], capture_output=True).returncode != 0:
        pytest.skip("needs user namespaces")
    return [*_OWN, f'mount {what} "{place}" && exec "$@"', "sh"]
