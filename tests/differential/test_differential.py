"""Every case of every area, on both services."""

import importlib
import itertools
import json
import time
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml
from differential import exchange, notices
from differential.peer import Pair

HERE = Path(__file__).parent
AREAS = {
    path.stem: importlib.import_module(f"differential.areas.{path.stem}")
    for path in sorted((HERE / "areas").glob("*.py"))
}
CASES = [(area, case) for area, module in AREAS.items() for case in module.CASES]
DIFFERENCES = yaml.safe_load((HERE / "differences.yaml").read_text()) or []


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """The two services, started once for each configuration."""
    started = {}

    def pair(name):
        if name not in started:
            # Where they do not start, they are not started again for every case.
            started[name] = None
            started[name] = Pair(tmp_path_factory.mktemp(name), name)
        return started[name] or pytest.skip("the services did not start")

    yield pair
    for pair in filter(None, started.values()):
        pair.stop()


@pytest.fixture(scope="session")
def seen():
    """The listed differences that occurred, and the areas that ran."""
    return {"listed": set(), "cases": set()}


def case_id(value):
    area, case = value
    return f"{area}: {case.name}"


@pytest.mark.parametrize("which", CASES, ids=case_id)
def test_both_answer_alike(which, pairs, seen):
    area, case = which
    name = case_id(which)
    pair = pairs(AREAS[area].CONFIGURATION)
    unlisted = []
    notices.pass_over(pair.sides)
    for number, step in enumerate(case.steps):
        answers = [run(side, step) for side in pair.sides]
        if not step.compared:
            continue
        found = list(differences(answers))
        unlisted += [
            f"step {number + 1}, {step}: {difference}"
            for difference in found
            if not is_listed(name, difference, answers, seen)
        ]
        if any(what == "status" for what, _, _ in found):
            # From here on the two are not in the same state.
            break
    else:
        unlisted += [
            str(difference)
            for difference in in_notices(pair.sides)
            if not is_listed(name, difference, answers, seen)
        ]
    seen["cases"].add(name)
    if unlisted:
        pytest.fail("\n".join(unlisted), pytrace=False)


def run(side, step, limit=60):
    end = time.monotonic() + limit
    while True:
        response, data = exchange.send(side, step)
        if step.until is None or holds(step.until, data) or time.monotonic() > end:
            break
        time.sleep(0.1)
    if step.compared is False:
        assert response.status < 300, f"{side.name}: {step}: {response.status} {data[:500]}"
    if response.status < 300:
        exchange.remember(side, step, data)
    return exchange.answer(side, response, data)


def holds(until, data):
    path, value = until
    try:
        return exchange.value_at(path, json.loads(data)) == value
    except LookupError:
        return value is None
    except ValueError:
        return False


class Difference(tuple):
    """What differs, and the two answers."""

    def __new__(cls, what, glance, tintype):
        return super().__new__(cls, (what, glance, tintype))

    def __str__(self):
        what, glance, tintype = self
        return f"{what}\n    Glance:  {glance!r}\n    tintype: {tintype!r}"


def differences(answers):
    glance, tintype = answers
    if glance.status != tintype.status:
        yield Difference(
            "status", (glance.status, glance.message), (tintype.status, tintype.message)
        )
        return
    for name in sorted(glance.headers.keys() | tintype.headers.keys()):
        theirs, ours = glance.headers.get(name), tintype.headers.get(name)
        if theirs != ours:
            yield Difference(f"header {name}", theirs, ours)
    if glance.message != tintype.message:
        yield Difference("message", glance.message, tintype.message)
    yield from in_bodies("body", glance.body, tintype.body)


def in_bodies(path, theirs, ours):
    """The innermost places where two bodies differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted(theirs.keys() | ours.keys()):
            missing = "(missing)"
            yield from in_bodies(
                f"{path}.{name}", theirs.get(name, missing), ours.get(name, missing)
            )
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for place, (one, other) in enumerate(itertools.zip_longest(theirs, ours)):
            yield from in_bodies(f"{path}.{place}", one, other)
    elif theirs != ours or type(theirs) is not type(ours):
        yield Difference(path, theirs, ours)


def in_notices(sides):
    """Where the notifications of a case differ: in what happened, else in what is said of it."""
    theirs, ours = notices.both(sides)
    if notices.events(theirs) != notices.events(ours):
        yield Difference("notices", notices.events(theirs), notices.events(ours))
    else:
        yield from in_bodies("notices", theirs, ours)


def is_listed(case, difference, answers, seen):
    """Whether a difference is one of those in the table; every one that is counts as seen."""
    what, theirs, _ = difference
    glance, tintype = answers
    places = [
        place
        for place, listed in enumerate(DIFFERENCES)
        if any(fnmatchcase(case, pattern) for pattern in listed.get("cases", ["*"]))
        and any(fnmatchcase(what, pattern) for pattern in listed["what"])
        and listed.get("status", glance.status) == glance.status
        and listed.get("glance", "") in str(theirs)
        and (not listed.get("refused") or 400 <= tintype.status < 500)
    ]
    seen["listed"].update(places)
    return bool(places)


def test_every_listed_difference_still_occurs(seen):
    """Judged where every case that a difference is listed for has run."""
    names = [case_id(which) for which in CASES]
    for place, listed in enumerate(DIFFERENCES):
        concerned = {n for n in names if any(fnmatchcase(n, c) for c in listed.get("cases", ["*"]))}
        if concerned <= seen["cases"]:
            assert place in seen["listed"], f"no longer differs: {listed}"


def test_the_documentation_lists_the_same_differences():
    text = (HERE.parents[1] / "docs/drop-in.md").read_text()
    for listed in DIFFERENCES:
        assert listed["reason"] in text, f"docs/drop-in.md does not say: {listed['reason']}"
