"""The database goes away in the middle of load, and comes back."""

import random
import time
from collections import Counter, defaultdict

import pytest
import requests
from importing import import_image
from service import unique

from replicas.cloud import during
from replicas.test_death import SIZE, Slow

# Seconds within which a request is answered while there is no database.
SOON = 10


class Answers:
    """What requests were answered, when, and after how long."""

    def __init__(self):
        self.all = []

    def note(self, replica, call):
        began = time.monotonic()
        answer = call()
        now = time.monotonic()
        self.all.append((now, replica, answer.status_code, now - began, answer))
        return answer

    def of(self, status):
        return [one for one in self.all if one[2] == status]


@pytest.mark.parametrize("way", ["end", "kill"])
def test_requests_fail_soon_and_recover_by_themselves(
    cloud, database, web, eventually, tell, way
):
    answers = Answers()
    shared, kept = [cloud.api(0).create() for _ in range(8)], defaultdict(list)
    created, data = [], random.Random(1).randbytes(SIZE)
    slow = Slow(cloud.api(1), data)
    eventually(lambda: cloud.api(0).status(slow.image) == "saving")
    url = web.serve(f"/{unique('outage')}", data)
    imports = [cloud.api(0).create() for _ in range(3)]

    def load(thread, going):
        api, number = cloud.api(thread % 3), 0
        while going():
            number += 1
            name, image = f"p-{thread}-{number}", shared[number // 4 % 8]
            add = [{"op": "add", "path": f"/{name}", "value": name}]
            calls = [
                lambda: api.get("/v2/images"),
                lambda: api.get(f"/v2/images/{image}"),
                lambda: api.post("/v2/images", json={"name": name}),
                lambda: api.change(image, add),
            ]
            answer = answers.note(thread % 3, calls[number % 4])
            if number % 4 == 2 and answer.status_code == 201:
                created.append(answer.json()["id"])
            if number % 4 == 3 and answer.ok:
                kept[image].append(name)
            if answer.status_code == 503:
                # A client that is told to come back later.
                time.sleep(0.05)

    def all_replicas(status, since):
        return {one[1] for one in answers.of(status) if one[0] > since} == {0, 1, 2}

    with during(load, 12):
        eventually(lambda: len(answers.all) > 300)
        for number, image in enumerate(imports):
            import_image(cloud.api(number), image, "web-download", uri=url)
        gone = time.monotonic()
        {"end": database.end, "kill": database.kill}[way]()
        eventually(lambda: all_replicas(503, gone), limit=SOON)
        away = len(answers.of(503))
        eventually(lambda: len(answers.of(503)) > away + 200, limit=60)
        database.start()
        back = time.monotonic()
        eventually(lambda: all_replicas(200, back), limit=SOON)
        recovered = time.monotonic()
        eventually(lambda: len(answers.of(201)) > 50, limit=60)

    statuses = Counter(one[2] for one in answers.all)
    assert set(statuses) <= {200, 201, 503}, statuses
    refused = answers.of(503)
    assert all("Retry-After" in answer.headers for *_, answer in refused)
    longest = max(seconds for _, _, _, seconds, _ in answers.all)
    late = max(at for at, *_ in refused) - back
    tell(
        f"{way}: {dict(statuses)}; away {back - gone:.1f} s; the slowest answer took {longest:.2f} s; "
        f"all answered {recovered - back:.2f} s after it was back, the last 503 came {late:.2f} s after"
    )
    assert longest < SOON
    api = cloud.api(2)
    for image in shared:
        assert set(kept[image]) <= api.show(image).keys(), "what was answered is there"
    assert {api.get(f"/v2/images/{image}").status_code for image in created} <= {200}
    eventually(lambda: all(api.status(image) == "active" for image in imports), limit=120)
    assert slow.finish() == 204, "an upload outlives it"
    assert api.get(f"/v2/images/{slow.image}/file").content == data
    assert set(cloud.files("fast")) == {*imports, slow.image}


def test_an_upload_that_ends_without_a_database_is_put_back_in_order(
    cloud, database, eventually, tell
):
    slow = Slow(cloud.api(1), random.Random(2).randbytes(SIZE))
    eventually(lambda: cloud.api(0).status(slow.image) == "saving")
    database.end()
    assert slow.finish() == 503
    database.start()
    back = time.monotonic()

    def queued():
        answer = cloud.api(0).get(f"/v2/images/{slow.image}")
        return answer.ok and answer.json()["status"] == "queued"

    eventually(queued, limit=60)
    tell(f"queued again {time.monotonic() - back:.1f} s after the database was back")
    assert not cloud.files("fast")
    assert cloud.api(2).upload(slow.image, slow.data).status_code == 204
