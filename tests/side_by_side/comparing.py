"""What both services say of the same image."""

import re


def compare(sides, image, who="member"):
    """Both show the image alike, and its members."""
    paths = [image.path, f"{image.path}/members"]
    for path in paths:
        shown = [answered(side, path, who) for side in sides]
        equal(path, *shown)


def compare_lists(sides):
    """Both list the same images for everybody, in the same order."""
    for who in ["member", "other", "reader", "admin"]:
        for path in LISTS:
            shown = [answered(side, path, who) for side in sides]
            equal(f"{path} as {who}", *shown)


def equal(path, one, other):
    """Fails with the innermost places where two answers differ."""
    assert not (found := list(differences(path, one, other))), "\n".join(found)


def differences(path, one, other):
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            missing = "(missing)"
            yield from differences(f"{path} {name}", one.get(name, missing), other.get(name, missing))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (first, second) in enumerate(zip(one, other, strict=True)):
            yield from differences(f"{path} {place}", first, second)
    elif one != other or type(one) is not type(other):
        yield f"{path}: {one!r} is not {other!r}"


LISTS = [
    "/v2/images?limit=100&sort=created_at:asc,id:asc",
    "/v2/images?limit=7&sort=name:desc",
    "/v2/images?os_hidden=true",
    "/v2/images?tag=added&visibility=community",
    "/v2/images?member_status=all&visibility=shared",
    "/v2/images?colour=rot%20%26%20blau",
    "/v2/images?size_min=1&status=in:active,deactivated",
]


def compare_bytes(sides, image):
    """Both serve the same bytes, and they are the image's."""
    for side in sides:
        answer = side.api("admin").get(f"{image.path}/file")
        assert (answer.content or b"") == (image.data or b""), side


def answered(side, path, who):
    answer = side.api(who).get(path)
    assert answer.status_code < 500, f"{side} {path}: {answer.text}"
    if answer.status_code != 200:
        return answer.status_code
    return normal(side, answer.json())


def normal(side, shown):
    """Without the service's own URL. Glance shows tags in any order, and locations and members in the
    one in which the database happens to find them; with the passwords that it has written into
    locations."""
    if isinstance(shown, dict):
        shown = {name: normal(side, value) for name, value in shown.items()}
        if isinstance(shown.get("tags"), list):
            shown["tags"] = sorted(shown["tags"])
        if isinstance(shown.get("members"), list):
            shown["members"] = sorted(shown["members"], key=lambda member: member["member_id"])
        if isinstance(shown.get("stores"), str):
            shown["stores"] = sorted(shown["stores"].split(","))
        if isinstance(shown.get("locations"), list):
            shown["locations"] = sorted(shown["locations"], key=lambda location: location["url"])
            urls = [location["url"] for location in shown["locations"]]
            shown["direct_url"] = shown.get("direct_url") in [*urls, None]
            for location in shown["locations"]:
                location["url"] = re.sub(r"://[^/@]*@", "://", location["url"])
        return shown
    if isinstance(shown, list):
        return [normal(side, value) for value in shown]
    return shown.replace(side.url, "{service}") if isinstance(shown, str) else shown
