"""Several tintype on one catalog and one set of stores."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import requests
from importing import configuration
from service import Api, Service

# Tests change an image more often than quotas allow.
QUOTAS = "image_property_quota = -1\nimage_tag_quota = -1\nimage_member_quota = -1"
# Worded by the services that noticed a loss; none may appear.
BAD_WORDS = ("database is locked", "panicked")


class Cloud:
    """Services that share all that services of one cloud share: the catalog, stores and staging."""

    def __init__(self, folder, web, url, count=3, more=""):
        self.folder, self.web, self.url, self.more = folder, web, url, more
        for part in ("fast", "slow", "staging", "tasks"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        # All at once: one of them makes the tables.
        with ThreadPoolExecutor(count) as starts:
            self.replicas = list(starts.map(self.start, range(count)))

    def start(self, number):
        """The replica of that number; a second start is that of the same one."""
        database = f"[database]\nconnection = {self.url}\n"
        config = configuration(self.folder, self.web, default=QUOTAS, more=database + self.more)
        state = self.folder / f"replica-{number}"
        return Service(state, config=config, arguments=["--identity", "none"])

    def restart(self, number):
        self.replicas[number] = self.start(number)

    @contextmanager
    def suspended(self, number):
        """That replica does nothing, and does not end either."""
        self.replicas[number].process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.replicas[number].process.send_signal(signal.SIGCONT)

    def api(self, number):
        return Api(self.replicas[number].url, "anybody")

    def apis(self):
        return [self.api(number) for number in range(len(self.replicas))]

    def files(self, store):
        return sorted(file.name for file in (self.folder / store).iterdir() if file.is_file())

    def log(self):
        return "".join(line for replica in self.replicas for line in replica.log)

    def close(self):
        for replica in self.replicas:
            replica.kill()
        # Shown with a test that fails.
        print(*(line for line in self.log().splitlines() if " INFO " not in line), sep="\n")
        found = [word for word in BAD_WORDS if word in self.log()]
        assert not found, found


def at_once(calls):
    """Makes the calls at the same moment, each in a thread; returns what they returned."""
    barrier = threading.Barrier(len(calls))

    def call(function):
        barrier.wait()
        return function()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def during(work, threads):
    """Runs `work(thread, going)` in that many threads until the block ends; raises what one raised."""
    return Load(work, threads)


class Load:
    def __init__(self, work, threads):
        self.work, self.count = work, threads
        self.going = threading.Event()

    def __enter__(self):
        self.going.set()
        self.pool = ThreadPoolExecutor(self.count)
        self.running = [self.pool.submit(self.work, n, self.going.is_set) for n in range(self.count)]
        return self

    def __exit__(self, *_):
        self.going.clear()
        self.pool.shutdown()
        for running in self.running:
            running.result()


def sent(call):
    """The answer's status, 0 for none at all."""
    try:
        return call().status_code
    except requests.RequestException:
        return 0
