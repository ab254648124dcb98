"""A few of the tests of the API once more, where services ask registries of their own.
`CATALOG=registry tests/run api clients` runs all of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "chosen",
    [["api/test_records.py", "api/test_lists.py"], ["api/test_tasks.py"]],
    ids=lambda chosen: Path(chosen[0]).stem,
)
def test_a_registry_changes_nothing(chosen):
    command = [sys.executable, "-m", "pytest", "-q", *chosen]
    environment = os.environ | {"CATALOG": "registry"}
    done = subprocess.run(
        command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_start_removes_unfinished_files_although_others_may_serve_the_catalog(registry, start):
    config = registry().for_services.read_text()
    service = start(config=config, catalog="database")
    service.stop()
    unfinished = service.state / "images/.partial-1"
    unfinished.write_bytes(b"left by a crash where files can not be nameless")
    start(config=config, catalog="database")
    assert not unfinished.exists()
