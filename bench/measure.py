"""Load, clocks and a table."""

import contextlib
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
import uuid
from pathlib import Path

from services import HERE, WORK, json_request, say

ROUNDS = 3
# How many bytes an image has.
SIZE = 1 << 30


def median_of_rounds(measures):
    """Takes every measure in turn, three times over, so that all of them meet the same weather.
    `measures` are functions by name; returns their medians by name."""
    results = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            results[name].append(measure())
    return {name: median(values) for name, values in results.items()}


def median(values):
    """Of numbers; or of several numbers that were measured together, each on its own."""
    if isinstance(values[0], tuple):
        return tuple(statistics.median(column) for column in zip(*values, strict=True))
    return statistics.median(values)


def create(service, **fields):
    body = {
        "name": "bench",
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "public",
    } | fields
    request = json_request("POST", f"{service.url}/v2/images", body, service.token)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["id"]


def delete(service, image):
    headers = {"X-Auth-Token": service.token}
    request = urllib.request.Request(
        f"{service.url}/v2/images/{image}", headers=headers, method="DELETE"
    )
    urllib.request.urlopen(request, timeout=120).close()


def wrk(service, path, connections=16, seconds=5, script=None):
    """Requests per second."""
    return load(service, path, connections, seconds, script)[0]


def load(service, path, connections=16, seconds=5, script=None, paths=None):
    """Requests per second, and after how many milliseconds half of them and 99 of a hundred have
    their answer. Says when one fails. Where there are `paths`, each request is for another of them."""
    command = [
        "wrk",
        "--latency",
        "--timeout",
        "30s",
        "-d",
        f"{seconds}s",
        "-c",
        str(connections),
        "-H",
        f"X-Auth-Token: {service.token}",
    ]
    if script:
        # A thread for each connection: the script's steps follow each other.
        command += ["-t", str(connections), "-s", HERE / script]
    else:
        command += ["-t", "1"]
    url = [service.url + path]
    with tempfile.NamedTemporaryFile("w") as listed:
        if paths:
            print(*paths, sep="\n", file=listed, flush=True)
            command += ["-s", HERE / "paths.lua"]
            url += ["--", listed.name]
        done = subprocess.run([*command, *url], capture_output=True, text=True, check=True)
    failures = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    if failures:
        say(f"{service.name}: {failures[1]} requests failed")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
    return rate, milliseconds(done.stdout, 50), milliseconds(done.stdout, 99)


def milliseconds(said, percentile):
    """A line of wrk's, as `50%    1.23ms`, or `50%    1.23s ` with a blank at its end."""
    line = re.search(rf"^\s+{percentile}%\s+([\d.]+)(us|ms|s|m) *$", said, re.MULTILINE)
    value, unit = line.groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def source():
    """An image of bytes that nothing can compress, in the page cache."""
    path = WORK / "source.raw"
    if not path.exists() or path.stat().st_size != SIZE:
        WORK.mkdir(parents=True, exist_ok=True)
        cipher = "openssl enc -aes-128-ctr -pass pass:bench -nosalt -pbkdf2 </dev/zero 2>/dev/null"
        subprocess.run(f"{cipher} | head -c {SIZE} >{path}", shell=True, check=True)
    subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)
    return path


def curl(service, *arguments):
    command = ["curl", "--silent", "--show-error", "--fail", "-H", f"X-Auth-Token: {service.token}"]
    return subprocess.Popen([*command, *map(str, arguments)], stdout=subprocess.DEVNULL)


def finish(processes):
    for process in processes:
        if process.wait() != 0:
            raise subprocess.CalledProcessError(process.returncode, process.args)


@contextlib.contextmanager
def images(service, count):
    made = [create(service) for _ in range(count)]
    yield made
    for image in made:
        delete(service, image)


def upload(service, made, *headers):
    """Uploads an image's bytes into each, all at once; returns MB/s."""
    path = source()
    headers = ["Content-Type: application/octet-stream", *headers]
    options = [word for header in headers for word in ["-H", header]]
    start = time.monotonic()
    finish(
        [
            curl(service, "-T", path, *options, f"{service.url}/v2/images/{image}/file")
            for image in made
        ]
    )
    return rate(len(made), start)


def download(service, urls):
    """Downloads an image from each URL, all at once; returns MB/s."""
    start = time.monotonic()
    finish([curl(service, "-o", "/dev/null", url) for url in urls])
    return rate(len(urls), start)


def rate(images, start):
    return images * SIZE / 1e6 / (time.monotonic() - start)


def digests(count):
    """md5 and sha512 of an image by OpenSSL, a process each, `count` times at once; MB/s."""
    path, start = source(), time.monotonic()
    finish([process for _ in range(count) for process in digesting(path)])
    return rate(count, start)


def digesting(path):
    """Processes that take the digests of an upload."""
    return [
        subprocess.Popen(["openssl", "dgst", f"-{name}", path], stdout=subprocess.DEVNULL)
        for name in ["md5", "sha512"]
    ]


@contextlib.contextmanager
def socket_to_a_reader():
    """A socket to write to. A process of its own reads what comes, as a client of a service does, and
    has read all of it when the `with` block has ended."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        written = socket.create_connection(listening.getsockname())
        read, _ = listening.accept()
    with read:
        reader = subprocess.Popen(["cat"], stdin=read, stdout=subprocess.DEVNULL)
    with written:
        yield written
    finish([reader])


def disk_write(count):
    """An image written and synced, `count` times at once; MB/s."""
    path, targets = source(), [WORK / f"written-{uuid.uuid4()}" for _ in range(count)]
    start = time.monotonic()
    finish(
        [
            subprocess.Popen(
                ["dd", f"if={path}", f"of={target}", "bs=1M", "conv=fsync", "status=none"]
            )
            for target in targets
        ]
    )
    result = rate(count, start)
    for target in targets:
        target.unlink()
    return result


def counted(work, servers, service=None):
    """What `work` returns, with the seconds of CPU that servers used meanwhile, of which the leading
    processes of their sessions are given, a service, and the programs that `work` waited for."""
    groups = [servers, {service.process.pid} if service else set()]
    before = [*map(seconds_of, groups), seconds_of_programs()]
    result = work()
    after = [*map(seconds_of, groups), seconds_of_programs()]
    return (result, *(end - start for start, end in zip(before, after, strict=True)))


def seconds_of(sessions):
    """Of CPU, which all processes of these sessions and those that they waited for have used."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # proc_pid_stat(5): behind the name session is the fourth, the times from the twelfth on.
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) in sessions:
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def seconds_of_programs():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Peak:
    """The most memory that a service holds while the `with` block runs, in bytes."""

    def __init__(self, service):
        self.service, self.bytes = service, 0
        self.done = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.done.wait(0.02):
            self.bytes = max(self.bytes, self.service.memory())

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def show(title, columns, rows):
    """A table in Markdown on standard output."""
    print(f"\n### {title}\n")
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, *cells in rows:
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def number(value):
    return f"{value:,.0f}"


def times(value):
    return f"**{value:.1f}×**" if value < 100 else f"**{value:,.0f}×**"
