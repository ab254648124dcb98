"""From Glance to tintype and back: stop the one, start the other with the same file."""

import re

from side_by_side.comparing import answered, compare_bytes, equal
from side_by_side.operations import LIVES, Subject, create

MORE = """[oslo_concurrency]
lock_path = /var/lock/glance
[profiler]
enabled = false
"""


def test_there_and_back_with_one_file(cloud):
    cloud.write_configuration(MORE)
    cloud.manage("db", "sync")
    given = cloud.configuration.read_text()
    images = [Subject(number) for number in range(len(LIVES))]
    for image, operations in zip(images, LIVES.values(), strict=True):
        image.left = [create, *operations]
    before = None
    while any(image.left for image in images):
        for start in [cloud.glance, cloud.tintype]:
            side = start()
            # What the other has left is told as the other told it.
            if before:
                equal(side.name, before, told(side, images))
            for image in images:
                for operation in image.left[:6]:
                    operation(side, image)
                image.left = image.left[6:]
                if image.status == "active":
                    compare_bytes([side], image)
            before = told(side, images)
            side.stop()
    assert cloud.configuration.read_text() == given


def told(side, images):
    lists = ["/v2/images?sort=id:asc", "/v2/images?visibility=community", "/v2/tasks"]
    members = [f"{image.path}/members" for image in images]
    paths = [*lists, *(image.path for image in images), *members]
    return {path: answered(side, path, "admin") for path in paths}


def test_what_has_no_effect_is_named_at_the_start(clouds):
    cloud = clouds("sqlite")
    cloud.write_configuration(MORE)
    side = cloud.tintype()
    side.service.stop()
    log = re.sub(r"\x1b\[[0-9;]*m", "", "".join(side.service.log))
    named = log.split("options without effect here: ")[1].splitlines()[0]
    side.service = None
    assert set(named.split(", ")) == {
        "[paste_deploy] config_file", "[oslo_concurrency] lock_path", "[profiler] enabled"
    }  # fmt: skip
