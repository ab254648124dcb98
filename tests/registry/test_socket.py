"""A registry behind a socket: whose processes are let in."""

import os
import subprocess

import pytest

from service import Account

# What a stranger does. It ends well where its connection does, without a word.
KNOCK = """
import socket, sys
stranger = socket.socket(socket.AF_UNIX)
stranger.settimeout(30)
stranger.connect(sys.argv[1])
try:
    stranger.sendall(b"tintype\\n")
    sys.exit(len(stranger.recv(1)))
except ConnectionError:
    pass
"""


@pytest.fixture
def listening(registry, tmp_path):
    return registry(keys="", socket=tmp_path / "registry.sock")


def test_processes_of_the_same_user_are_let_in(listening, served_by, tmp_path):
    assert (tmp_path / "registry.sock").stat().st_mode & 0o777 == 0o600
    api = Account(served_by(listening)).api()
    assert api.status(api.create()) == "queued"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_users_processes_are_not(listening, eventually, tmp_path):
    """Though the file lets them in, as for the moment after it is made."""
    path = tmp_path / "registry.sock"
    path.chmod(0o666)
    # From its folder, which others may not find by its path.
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.getuid() and folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o011)
    # A Python that everybody may run.
    done = subprocess.run(["/usr/bin/python3", "-c", KNOCK, path], user="nobody", timeout=60)
    assert done.returncode == 0, "it was answered"
    nobody = subprocess.run(["id", "-u", "nobody"], capture_output=True, text=True).stdout.strip()
    eventually(lambda: listening.said(f"has not proven who it is: it is of user {nobody}"))
