"""Many writers of one SQLite file: each waits its turn, none is told that the database is locked."""

import sqlite3
import time
from collections import Counter

import pytest

from replicas.cloud import at_once

WRITERS = 64
EACH = 12
SHARED = 8


@pytest.mark.parametrize("processes", [1, 4])
def test_many_writers_wait_their_turn(clouds, tmp_path, processes, tell):
    file = tmp_path / "glance.db"
    cloud = clouds(f"sqlite:///{file}", count=processes)
    shared = [cloud.api(0).create() for _ in range(SHARED)]

    def writer(number):
        api, statuses = cloud.api(number % processes), Counter()
        for turn in range(EACH):
            name = f"p-{number}-{turn}"
            add = [{"op": "add", "path": f"/{name}", "value": name}]
            created = api.post("/v2/images", json={"name": name})
            tagged = api.put(f"/v2/images/{created.json()['id']}/tags/{name}")
            for answer in (created, tagged, api.change(shared[turn % SHARED], add)):
                statuses[answer.status_code] += 1
        return statuses

    began = time.monotonic()
    counted = sum(at_once([lambda n=n: writer(n) for n in range(WRITERS)]), Counter())
    seconds = time.monotonic() - began
    assert counted == {201: WRITERS * EACH, 204: WRITERS * EACH, 200: WRITERS * EACH}
    kept = [name for image in shared for name in cloud.api(0).show(image)]
    assert sum(name.startswith("p-") for name in kept) == WRITERS * EACH
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    total = sum(counted.values())
    tell(f"{total} changes by {WRITERS} writers in {seconds:.1f} s: {total / seconds:.0f} a second")
