"""docs/options.md has every option that Glance 33 and its libraries say they know."""

import json
import re
import subprocess
from pathlib import Path

from side_by_side.database import environment

PAGE = Path(__file__).parents[2] / "docs/options.md"
# Those that Glance's own configuration files are generated from, and castellan's and osprofiler's.
NAMESPACES = [
    "glance",
    "glance.api",
    "glance.cache",
    "glance.scrubber",
    "glance.store",
    "glance.multi_store",
    "keystonemiddleware.auth_token",
    "oslo.concurrency",
    "oslo.db",
    "oslo.limit",
    "oslo.log",
    "oslo.messaging",
    "oslo.middleware",
    "oslo.policy",
    "oslo.reports",
    "castellan.config",
    "osprofiler",
]


def table():
    """The options of each section of the page, and what is said of them."""
    section = None
    for line in PAGE.read_text().splitlines():
        if heading := re.match(r"## (?:\[(.+?)\])?", line):
            section = heading[1]
        elif row := re.match(r"\| (`.*?) \| (honoured|without effect) \| ?(.*?) ?\|$", line):
            for name in re.findall(r"`([a-z_0-9]+)`", row[1]):
                yield section, name, row[2], row[3]


def generated():
    """Sections and names, from oslo.config's generator."""
    command = [environment() / "bin/oslo-config-generator", "--format", "json"]
    for namespace in NAMESPACES:
        command += ["--namespace", namespace]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for section, options in json.loads(done.stdout)["options"].items():
        for option in options["opts"]:
            yield section, option["dest"]


def test_every_option_that_is_generated_has_its_row():
    known = set(generated())
    listed = {(section, name) for section, name, *_ in table()}
    assert len(known) > 400
    assert not sorted(known - listed)


def test_every_option_without_effect_has_a_reason():
    silent = [(section, name) for section, name, what, why in table() if what[0] == "w" and not why]
    assert not silent
