"""How much a project has of what it may have, as users of `glance` see it."""

import re

from limits import FREE


def rows(table):
    """The words of each line of a table, without its title."""
    lines = re.findall(r"^\| (.*) \|$", table, re.MULTILINE)
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines][1:]


def test_without_keystones_limits_there_is_nothing_to_tell(admin):
    assert rows(admin.run("glance", "usage")) == []


def test_what_is_used_stands_beside_its_limit(limited_admin, limits):
    limits(**FREE | {"image_count_total": 10, "image_size_total": 5})
    api = limited_admin.api()
    assert api.upload(api.create(), bytes(3 << 20)).status_code == 204
    told = {quota: (limit, used) for quota, limit, used in rows(limited_admin.run("glance", "usage"))}
    assert told["image_count_total"] == ("10", "1")
    assert told["image_size_total"] == ("5", "3")
    assert told["image_count_uploading"] == ("-1", "0")
