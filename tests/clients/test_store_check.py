"""`tintype store check` says which store does what it is for, and why another does not."""

import json
import subprocess

import pytest
from service import TINTYPE

CONFIG = """
[DEFAULT]
enabled_backends = fast:file,web:http,away:s3
[glance_store]
default_backend = fast
[fast]
filesystem_store_datadir = {root}/fast
[away]
s3_store_host = http://127.0.0.1:1
s3_store_access_key = key
s3_store_secret_key = never-to-be-seen
s3_store_bucket = images
[os_glance_staging_store]
filesystem_store_datadir = {root}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {root}/tasks
"""


@pytest.fixture
def check(tmp_path):
    file = tmp_path / "glance-api.conf"
    file.write_text(CONFIG.format(root=tmp_path))

    def check(*arguments):
        command = [TINTYPE, "store", "check", "--config-file", file, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return check


def test_a_store_that_works_is_tried_and_left_as_it_was(check, tmp_path):
    done = check("fast", "web")
    assert (done.returncode, done.stderr) == (0, "")
    fast, web = done.stdout.splitlines()
    assert fast.startswith("fast (file): reach ")
    assert all(step in fast for step in ["write", "read", "delete"])
    assert web.startswith("web (http): reach ")
    assert "write" not in web
    assert not list((tmp_path / "fast").iterdir())


def test_a_store_that_is_away_is_told_with_the_reason_and_no_secret(check):
    done = check("--json")
    assert done.returncode == 1
    stores = {store["id"]: store for store in json.loads(done.stdout)["stores"]}
    assert stores["fast"]["ok"] and set(stores["fast"]["seconds"]) == {"reach", "write", "read", "delete"}
    assert not stores["away"]["ok"]
    assert stores["away"]["failed"]["step"] == "reach"
    assert "refused" in stores["away"]["failed"]["why"]
    assert "never-to-be-seen" not in done.stdout + done.stderr


def test_a_store_that_is_not_enabled_is_named(check):
    done = check("none")
    assert done.returncode != 0
    assert "none" in done.stderr
