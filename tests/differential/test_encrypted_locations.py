"""`metadata_encryption_key`: Glance's own crypt module reads what tintype writes, and the reverse."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from service import Account, DidNotStart

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import services  # noqa: E402

KEYS = ["0123456789abcdef", "0123456789abcdef01234567", "0123456789abcdef0123456789abcdef"]
CRYPT = "import sys; from glance.common import crypt; print(getattr(crypt, sys.argv[1])(*sys.argv[2:]))"


def glance(function, *arguments):
    python = services.environment() / "bin/python"
    command = [python, "-c", CRYPT, function, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def configuration(key):
    return f"[DEFAULT]\nmetadata_encryption_key = {key}\n"


class Rows:
    """The locations of a service that has stopped."""

    def __init__(self, service):
        self.file = service.state / "glance.db"

    def run(self, sql, *values):
        db = sqlite3.connect(self.file)
        with db:
            found = db.execute(sql, values).fetchall()
        db.close()
        return found

    def value(self, image):
        return self.run("SELECT value FROM image_locations WHERE image_id = ?", image)[0][0]

    def set(self, image, value):
        self.run("UPDATE image_locations SET value = ? WHERE image_id = ?", value, image)


@pytest.mark.parametrize("key", KEYS, ids=len)
def test_glance_reads_what_was_written_and_is_read(start, data, key):
    service = start(config=configuration(key))
    api = Account(service).api()
    image = api.create()
    assert api.upload(image, data).status_code == 204
    assert service.stop() == 0
    rows = Rows(service)
    written = rows.value(image)
    assert ":" not in written
    url = glance("urlsafe_decrypt", key, written)
    assert url == f"file://{service.state}/images/{image}"
    rows.set(image, glance("urlsafe_encrypt", key, url))
    assert rows.value(image) != written

    service = start(config=configuration(key))
    api = Account(service).api()
    assert api.get(f"/v2/images/{image}/file").content == data
    assert api.delete(f"/v2/images/{image}").status_code == 204
    assert service.stored_files() == []
    service.stop()
    assert key not in "".join(service.log)


@pytest.mark.parametrize("other", ["", KEYS[2]], ids=["none", "another"])
def test_with_another_key_an_image_is_shown_and_kept(start, data, other):
    service = start(config=configuration(KEYS[0]))
    api = Account(service).api()
    image = api.create()
    api.upload(image, data)
    service.stop()
    kept = Rows(service).value(image)

    service = start(config=configuration(other))
    api = Account(service).api()
    assert api.status(image) == "active"
    assert [found["id"] for found in api.get("/v2/images").json()["images"]] == [image]
    assert api.get(f"/v2/images/{image}/file").status_code >= 400
    assert api.delete(f"/v2/images/{image}").status_code == 500
    assert api.status(image) == "active"
    service.stop()
    assert "metadata_encryption_key" in "".join(service.log)
    assert Rows(service).value(image) == kept

    service = start(config=configuration(KEYS[0]))
    assert Account(service).api().get(f"/v2/images/{image}/file").content == data


def test_a_key_of_another_length_stops_the_start(start):
    with pytest.raises(DidNotStart, match="metadata_encryption_key") as refused:
        start(config=configuration("secret"))
    assert "secret" not in str(refused.value)
