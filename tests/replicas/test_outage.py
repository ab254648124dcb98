"""The database goes away in the middle of load, and comes back."""

import random
import subprocess
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from firewall import Firewall
from importing import import_image
from service import TINTYPE, unique

from replicas.cloud import at_once, during
from replicas.test_death import SIZE, Slow

# Seconds within which a request is answered while there is no database.
SOON = 10
# Seconds within which a request is answered whose connection was lost without a word.
LOST = 20
# Seconds that a living database needs for a statement: more than one that hangs is waited for, and an
# answer that was lost.
LONG = 20


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


def test_requests_are_refused_while_the_database_hangs(cloud, database, eventually, tell):
    """It is there, and answers nothing: neither to who waits for an answer, nor to who connects."""
    apis, data = cloud.apis(), random.Random(3).randbytes(SIZE)
    image = apis[0].create()
    slow = Slow(apis[1], data)
    eventually(lambda: apis[0].status(slow.image) == "saving")

    def asked(api, number):
        began = time.monotonic()
        calls = [
            lambda: api.get(f"/v2/images/{image}"),
            lambda: api.post("/v2/images", json={"name": "x"}),
            lambda: api.put(f"/v2/images/{image}/tags/hanging"),
        ]
        answer = calls[number % 3]()
        assert answer.status_code == 503 and "Retry-After" in answer.headers
        return time.monotonic() - began

    def round_of_requests():
        numbers = range(3 * len(apis))
        calls = [lambda n=n: asked(cloud.api(n % 3), n // 3) for n in numbers]
        return max(at_once(calls))

    with database.hanging():
        first, second = round_of_requests(), round_of_requests()
    back = time.monotonic()
    eventually(lambda: all(api.get(f"/v2/images/{image}").ok for api in cloud.apis()), limit=SOON)
    recovered = time.monotonic() - back
    tell(
        f"it hangs: the first are refused within {first:.1f} s, later ones within {second:.1f} s; "
        f"all are answered {recovered:.2f} s after"
    )
    assert first < SOON and second < SOON / 2
    assert slow.finish() == 204, "an upload outlives it"
    assert apis[2].get(f"/v2/images/{slow.image}/file").content == data


def test_connections_that_are_lost_without_a_word_are_given_up(
    clouds, database, eventually, tell
):
    """As when the address of a database moves: whoever waits there waits for nothing, and no end of
    the connection says so."""
    with Firewall(database.url) as firewall:
        cloud = clouds(firewall.url)
        apis, data = cloud.apis(), random.Random(4).randbytes(SIZE)
        image = apis[0].create()
        slow = Slow(apis[1], data)
        eventually(lambda: apis[0].status(slow.image) == "saving")
        answers = Answers()

        def load(thread, going):
            api, number = cloud.api(thread % 3), 0
            while going():
                number += 1
                calls = [
                    lambda: api.get(f"/v2/images/{image}"),
                    lambda: api.get("/v2/images"),
                    lambda: api.put(f"/v2/images/{image}/tags/t-{thread}-{number % 10}"),
                ]
                answers.note(thread % 3, calls[number % 3])

        def of_later():
            return [one for one in answers.all if one[0] > gone + LOST]

        with during(load, 12):
            eventually(lambda: len(answers.all) > 300)
            firewall.forget()
            gone = time.monotonic()
            eventually(lambda: {one[1] for one in of_later()} == {0, 1, 2}, limit=60)
        statuses = Counter(one[2] for one in answers.all)
        longest = max(seconds for _, _, _, seconds, _ in answers.all)
        tell(f"lost without a word: {dict(statuses)}; the slowest answer took {longest:.2f} s")
        assert set(statuses) <= {200, 204, 503}, statuses
        assert longest < LOST
        assert {one[2] for one in of_later()} <= {200, 204}
        assert slow.finish() == 204, "an upload outlives it"
        assert apis[2].get(f"/v2/images/{slow.image}/file").content == data


def test_what_takes_the_database_long_is_waited_for(cloud, database, tmp_path):
    config = tmp_path / "glance-api.conf"
    config.write_text(f"[database]\nconnection = {database.url}\n")
    tended = [["purge", "--age-in-days", "1"], ["sync", "--extra-indexes"]]

    def tend(arguments):
        command = [TINTYPE, "db", *arguments, "--config-file", config]
        return subprocess.run(command, capture_output=True, text=True)

    with ThreadPoolExecutor(8) as pool:
        with database.locked("images"):
            began = time.monotonic()
            lists = [pool.submit(api.get, "/v2/images") for api in cloud.apis()]
            created = pool.submit(cloud.api(0).post, "/v2/images", json={"name": "x"})
            tending = [pool.submit(tend, arguments) for arguments in tended]
            waiting = [*lists, created, *tending]
            while time.monotonic() < began + LONG:
                assert not any(one.done() for one in waiting), [one.result() for one in waiting]
                time.sleep(0.1)
        assert {answer.result().status_code for answer in lists} == {200}
        assert created.result().status_code == 201
        for done in tending:
            assert done.result().returncode == 0, done.result()
