"""Everything at once from three services: nothing is lost, and nothing is done twice."""

import hashlib
import itertools
import random
import uuid
from collections import Counter

from importing import import_image
from service import unique

from replicas.cloud import at_once, during

IMAGES = 12
THREADS = 24
OPERATIONS = 40


def test_no_change_is_lost(cloud, tell):
    """Each thread sets properties, tags and members of the same images, through its own service."""
    shared = [cloud.api(0).create() for _ in range(IMAGES)]

    def changes(thread, _):
        api, dice = cloud.api(thread % 3), random.Random(thread)
        done = []
        for number in range(OPERATIONS):
            image, name = dice.choice(shared), f"p-{thread}-{number}"
            match number % 4:
                case 0 | 1:
                    add = {"op": "add", "path": f"/{name}", "value": name}
                    answer = api.change(image, [add])
                case 2:
                    answer = api.put(f"/v2/images/{image}/tags/{name}")
                case 3:
                    answer = api.post(f"/v2/images/{image}/members", json={"member": name})
            assert answer.ok, answer.text
            done.append((number % 4, image, name))
        return done

    done = in_threads(changes)
    api = cloud.api(1)
    for image in shared:
        shown = api.show(image)
        members = api.get(f"/v2/images/{image}/members").json()["members"]
        kept = {
            **{name: 0 for name in shown if name.startswith("p-")},
            **{name: 2 for name in shown["tags"]},
            **{member["member_id"]: 3 for member in members},
        }
        assert kept.keys() == {name for _, there, name in done if there == image}
    tell(len(done), "changes of", IMAGES, "images; lost: 0")


def test_of_many_uploads_to_an_image_one_counts(cloud, tell):
    """Each service sends other bytes to the same image at the same moment."""
    outcomes = Counter()
    for _ in range(IMAGES):
        image = cloud.api(0).create()
        bodies = [random.randbytes(1_000_000 + n) for n in range(6)]
        calls = [
            lambda api=cloud.api(n % 3), body=body: api.upload(image, body).status_code
            for n, body in enumerate(bodies)
        ]
        statuses = at_once(calls)
        outcomes.update(statuses)
        assert sorted(statuses) == [204, *[409] * 5]
        winner = bodies[statuses.index(204)]
        for api in cloud.apis():
            assert api.show(image)["os_hash_value"] == hashlib.sha512(winner).hexdigest()
            assert api.get(f"/v2/images/{image}/file").content == winner
    tell("uploads to", IMAGES, "images:", dict(outcomes))


def test_of_many_imports_of_an_image_one_runs(cloud, web, eventually, tell):
    outcomes, urls = Counter(), {}
    for _ in range(IMAGES):
        image = cloud.api(0).create()
        path = f"/{unique('once')}"
        urls[image] = path
        url = web.serve(path, random.randbytes(1_000_000))
        calls = [
            lambda api=cloud.api(n % 3): import_image(api, image, "web-download", uri=url)
            for n in range(6)
        ]
        statuses = sorted(answer.status_code for answer in at_once(calls))
        assert statuses == [202, *[409] * 5]
        outcomes.update(statuses)
    api = cloud.api(2)
    eventually(lambda: all(api.status(image) == "active" for image in urls), limit=120)
    for image, path in urls.items():
        tasks = api.get(f"/v2/images/{image}/tasks").json()["tasks"]
        assert [task["status"] for task in tasks] == ["success"]
        assert web.asked.count(path) == 1, "it is downloaded once"
    tell("imports of", IMAGES, "images:", dict(outcomes))


def test_an_image_is_created_and_deleted_once(cloud, tell):
    outcomes = Counter()
    for _ in range(IMAGES):
        image = str(uuid.uuid4())
        fields = {"id": image, "disk_format": "raw", "container_format": "bare"}
        calls = [lambda api=cloud.api(n % 3): api.post("/v2/images", json=fields) for n in range(6)]
        created = sorted(answer.status_code for answer in at_once(calls))
        assert created == [201, *[409] * 5]
        assert cloud.api(0).upload(image, b"bytes").status_code == 204
        calls = [lambda api=cloud.api(n % 3): api.delete(f"/v2/images/{image}") for n in range(6)]
        deleted = sorted(answer.status_code for answer in at_once(calls))
        assert deleted == [204, *[404] * 5]
        outcomes.update(itertools.chain(created, deleted))
    assert not cloud.files("fast")
    tell("creations and deletions of", IMAGES, "images:", dict(outcomes))


def test_all_at_once(cloud, web, eventually, tell):
    """Images live whole lives side by side, each step of them through another service."""
    path = f"/{unique('mixed')}"
    url = web.serve(path, random.randbytes(300_000))
    counted = Counter()

    def lives(thread, _):
        dice, done = random.Random(thread), Counter()
        for _ in range(6):
            apis = [cloud.api(n) for n in dice.sample(range(3), 3)]
            image = apis[0].create(name=unique("life"))
            if dice.random() < 0.5:
                body = dice.randbytes(200_000)
                assert apis[1].upload(image, body).status_code == 204
                assert apis[2].get(f"/v2/images/{image}/file").content == body
                done["uploads"] += 1
            else:
                assert import_image(apis[1], image, "web-download", uri=url).status_code == 202
                eventually(lambda: apis[2].status(image) == "active", limit=120)
                done["imports"] += 1
            for n, api in enumerate(apis):
                change = [{"op": "add", "path": f"/p{n}", "value": str(n)}]
                assert api.change(image, change).ok
            assert {apis[0].show(image).get(f"p{n}") for n in range(3)} == {"0", "1", "2"}
            assert apis[2].delete(f"/v2/images/{image}").status_code == 204
            assert apis[0].get(f"/v2/images/{image}").status_code == 404
            done.update(creations=1, patches=3, deletions=1)
        return [done]

    for done in in_threads(lives):
        counted.update(done)
    assert not cloud.files("fast") and not cloud.files("staging")
    tell(sum(counted.values()), "operations:", dict(counted))


def in_threads(work):
    """Runs `work` to its end in each thread; all that they return."""
    with during(work, THREADS) as load:
        return [one for running in load.running for one in running.result()]
