"""Some of the tests of the API and of clients once more, where services ask registries of their own.
`CATALOG=registry tests/run api clients` runs all of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "chosen",
    [
        ["api/test_records.py", "api/test_lists.py", "clients/test_sdk.py"],
        ["api/test_tasks.py", "clients/test_import.py"],
        ["api/test_metadefs.py"],
        ["api/test_cache.py", "-k", "centralized_db or fills"],
        ["api/test_unified_limits.py", "clients/test_usage.py"],
    ],
    ids=lambda chosen: Path(chosen[0]).stem,
)
def test_a_registry_changes_nothing(chosen):
    command = [sys.executable, "-m", "pytest", "-q", *chosen]
    environment = os.environ | {"CATALOG": "registry"}
    done = subprocess.run(
        command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
