"""Both at the same time on one database and one file store: what the one has made, the other sees,
serves, changes and deletes."""

import random

import pytest

from replicas.cloud import at_once
from service import Api
from side_by_side.comparing import compare, compare_bytes, compare_lists
from side_by_side.operations import BY_STATUS, LIVES, Subject, create, delete, download, share

STEPS = 300
# Threads that change one image at the same time, and how often each does.
THREADS, CHANGES = 6, 12


@pytest.fixture
def sides(cloud):
    cloud.manage("db", "sync")
    yield [cloud.glance(), cloud.tintype()]
    if cloud.database.kind != "postgresql":
        # There, Glance checks no database at all.
        assert "No upgrades needed" in cloud.manage("db", "check")
    assert "2024_1_contract01" in cloud.manage("db", "version")


def test_what_one_does_the_other_goes_on_with(sides):
    """Each operation on an image is done by the other service than the one before it."""
    for number, (life, operations) in enumerate(LIVES.items()):
        for turn in range(2):
            image = Subject(2 * number + turn)
            for place, operation in enumerate([create, *operations]):
                side = sides[(place + turn) % 2]
                operation(side, image)
                compare(sides, image, "admin" if image.status == "deactivated" else "member")
            if image.status == "active":
                compare_bytes(sides, image)
    compare_lists(sides)


def test_hundreds_of_operations_in_any_order(sides):
    chance, images, made = random.Random(33), [], 0
    for step in range(STEPS):
        side = chance.choice(sides)
        if len(images) < 4 or (len(images) < 12 and chance.random() < 0.1):
            images.append(Subject(1000 + made))
            made += 1
            create(side, images[-1])
            continue
        image = chance.choice(images)
        name, operation = chance.choice(list(BY_STATUS[image.status].items()))
        try:
            operation(side, image)
            compare(sides, image, "admin")
        except AssertionError as failed:
            raise AssertionError(f"step {step}: {name} by {side} of {image.id}") from failed
        if step % 20 == 0:
            compare_lists(sides)
        if len(images) > 8 and chance.random() < 0.1:
            remove(chance.choice(sides), image)
            compare(sides, image, "admin")
            images.remove(image)
    for image in images:
        if image.status == "active":
            download(chance.choice(sides), image)
            compare_bytes(sides, image)


def remove(side, image):
    patch = [{"op": "replace", "path": "/protected", "value": False}]
    assert side.api("admin").change(image.id, patch).status_code == 200
    delete(side, image)


def each_at_once(sides, change):
    """Has each thread make its changes through one of the services; what they returned."""

    def changes(thread):
        side = sides[thread % len(sides)]
        api = Api(side.url, side.cloud.tokens["member"])
        return [change(side, api, f"{thread}-{number}") for number in range(CHANGES)]

    done = at_once([lambda n=n: changes(n) for n in range(THREADS)])
    return [one for some in done for one in some]


def insisted(side, ask, *expected):
    """Asks; a Glance again that is in its own way, which answers that with 500."""
    for _ in range(10):
        answer = ask()
        if answer.status_code != 500 or side.name != "Glance":
            break
    assert answer.status_code in expected, f"{side}: {answer.status_code} {answer.text}"


def test_members_and_tags_are_changed_on_both_at_once(sides):
    """Glance writes all the tags that it has read, with whatever it changes: of tags that are set at
    the same moment on its side and on another, also two Glances lose some. Members are rows each."""
    image = Subject(0)
    create(sides[0], image)
    share(sides[0], image)
    glance, tintype = sides

    def member_or_tag(side, api, name):
        add = lambda: api.post(f"{image.path}/members", json={"member": name})  # noqa: E731
        # It was added before the 500 that Glance answered, too.
        insisted(side, add, 200, *([409] if side is glance else []))
        if side is tintype:
            insisted(side, lambda: api.put(f"{image.path}/tags/{name}"), 204)
        return side, name

    made = each_at_once(sides, member_or_tag)
    compare(sides, image)
    shown = tintype.api().get(f"{image.path}/members").json()["members"]
    assert sorted(member["member_id"] for member in shown) == sorted(name for _, name in made)
    tags = {"first", "größe"} | {name for side, name in made if side is tintype}
    assert set(glance.api().show(image.id)["tags"]) == tags

    def removed_or_replaced(side, api, name):
        remove = lambda: api.delete(f"{image.path}/members/{name}")  # noqa: E731
        insisted(side, remove, 204, *([404] if side is glance else []))
        tagged = api.put(f"{image.path}/tags/again-{name}")
        # Glance answers 404 and 500 where it finds a tag gone that it had read.
        assert side is glance or tagged.status_code == 204, tagged.text
        return name

    names = each_at_once(sides, removed_or_replaced)
    compare(sides, image)
    assert tintype.api().get(f"{image.path}/members").json()["members"] == []
    left = set(tintype.api().show(image.id)["tags"])
    assert left <= tags | {f"again-{name}" for name in names}
