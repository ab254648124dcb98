"""Both at the same time on one database and one file store: what the one has made, the other sees,
serves, changes and deletes."""

import random

import pytest

from side_by_side.comparing import compare, compare_bytes, compare_lists
from side_by_side.operations import BY_STATUS, LIVES, Subject, create, delete, download

STEPS = 300


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
