"""What the services tell of: their notifications, which both write to their logs."""

import json
import re
import time

from differential.exchange import normal, with_sorted_sets

# A notification begins so in Glance's log, or so in tintype's.
BEGINNING = re.compile(r'\{"(?:message_id|_unique_id)":')

# How long one of the two may need to tell what the other has told already, in seconds.
PATIENCE = 5

# How long nothing is told before all is told, in seconds.
QUIET = 0.3


class Log:
    """The notifications of a service. `read` returns what its log has said since the last time."""

    def __init__(self, read):
        self.read, self.rest = read, ""

    def new(self):
        """Those that came since the last time, as they were told."""
        *lines, self.rest = (self.rest + self.read()).split("\n")
        begun = ((line, BEGINNING.search(line)) for line in lines)
        return [
            json.JSONDecoder().raw_decode(line, found.start())[0] for line, found in begun if found
        ]


def of_file(path):
    """Reads a file as far as it is written."""
    file = path.open()
    return Log(file.read)


def of_lines(lines):
    """Reads a list that others append to."""

    def read():
        nonlocal place
        new = lines[place:]
        place += len(new)
        return "".join(new)

    place = 0
    return Log(read)


def both(sides):
    """What each side has told since the last time, once it is as much."""
    told = [[], []]
    end = time.monotonic() + PATIENCE
    while True:
        for side, heard in zip(sides, told, strict=True):
            heard += [comparable(side, notice) for notice in side.log.new()]
        if events(told[0]) == events(told[1]) or time.monotonic() > end:
            return told
        time.sleep(0.05)


def pass_over(sides):
    """Lets everything pass that is still being told."""
    while any([side.log.new() for side in sides]):
        time.sleep(QUIET)


def events(told):
    return [notice["event_type"] for notice in told]


def comparable(side, notice):
    """A notification without what differs from run to run."""
    kept = {name: notice[name] for name in ["event_type", "priority", "payload"]}
    return with_sorted_sets(json.loads(normal(side, json.dumps(kept, ensure_ascii=False))))
