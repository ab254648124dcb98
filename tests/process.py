"""A process of the product's, that says when it is ready."""

import os
import queue
import signal
import subprocess
import threading
from pathlib import Path

TINTYPE = Path(os.environ["TINTYPE"])


class DidNotStart(Exception):
    """The process ended before it was ready; its words are the message."""


class Process:
    """A process, started when made. `ready` finds its URL in its words; `setup` runs in the child
    before it."""

    def __init__(self, command, ready, setup=None, limit=60):
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, preexec_fn=setup, start_new_session=True
        )
        self.log = []
        self.url = self._wait_until_ready(ready, limit)

    def _wait_until_ready(self, ready, limit):
        found = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_log, args=[ready, found], daemon=True)
        self._reader.start()
        try:
            url = found.get(timeout=limit)
        except queue.Empty:
            Process.kill(self)
            url = None
        if url is None:
            self.process.wait()
            raise DidNotStart("".join(self.log))
        return url

    def _read_log(self, ready, found):
        for line in self.process.stderr:
            self.log.append(line)
            if match := ready.search(line):
                found.put(match[1])
        found.put(None)

    def stop(self):
        """Asks it to stop, as an operator does, and returns its exit code; the log is whole then."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self._reader.join(timeout=30)
        return code

    def kill(self):
        """Ends it as a power failure would, as far as a process can tell."""
        self.process.kill()
        self.process.wait()

    def said(self, words):
        """Whether its log has these words."""
        return any(words in line for line in self.log)


def starting(make):
    """The body of a fixture: a function that starts a process by `make`; those that it started end
    with the test."""
    started = []

    def start(*arguments, **options):
        started.append(make(*arguments, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
