"""A disk that is full refuses one upload, clearly, and the service goes on."""

import resource
import signal

import pytest

from mounts import with_mount
from service import Account

ROOM = 64 << 20


def limit_files():
    """Writes beyond the limit fail as on a full disk, instead of ending the process."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


@pytest.fixture(params=["disk", "file size"])
def cramped(request, start, tmp_path):
    """A service with 64 MiB for everything, or for each file."""
    if request.param == "file size":
        return start(setup=limit_files)
    state = tmp_path / "small"
    state.mkdir()
    return start(state, wrapper=with_mount(f"-t tmpfs -o size={ROOM} none", state))


@pytest.fixture
def api(cramped):
    credentials = cramped.state / "clouds.yaml"
    if not credentials.exists():
        # On the small disk, which only the service and what looks through its eyes can see.
        inside = f"/proc/{cramped.process.pid}/root{credentials}"
        credentials.write_bytes(open(inside, "rb").read())
    return Account(cramped).api()


def test_a_full_disk_is_told_and_survived(cramped, api):
    megabyte = b"m" * (1 << 20)
    small = api.create()
    assert api.upload(small, megabyte).status_code == 204

    large = api.create()
    answer = api.upload(large, (megabyte for _ in range(100)))
    assert answer.status_code in (413, 507), answer.text
    assert "full" in answer.text or "space" in answer.text
    assert api.status(large) == "queued"
    assert cramped.stored_files() == [small], "what was written of it is gone"

    assert api.get(f"/v2/images/{small}/file").content == megabyte
    again = api.create()
    assert api.upload(again, megabyte).status_code == 204
