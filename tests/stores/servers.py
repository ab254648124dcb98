"""The processes of servers on this machine, which can be made to hang."""

import os
import signal
from contextlib import contextmanager
from pathlib import Path

LISTENS = "0A"


@contextmanager
def hanging(ports):
    """What listens at these ports does nothing meanwhile, and loses nothing: connections are taken by
    the kernel, and stay without answers."""
    processes = listening(ports)
    try:
        tell(processes, signal.SIGSTOP)
        yield
    finally:
        tell(processes, signal.SIGCONT)


def tell(processes, what):
    for process in processes:
        os.kill(process, what)


def listening(ports):
    """The processes that do so at any of these ports; all of them have one."""
    sockets = {port: sockets_at(port) for port in ports}
    wanted = {f"socket:[{inode}]" for inodes in sockets.values() for inode in inodes}
    found = {}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            name = os.readlink(descriptor)
        except OSError:
            # It has ended meanwhile.
            continue
        if name in wanted:
            found.setdefault(name, set()).add(int(descriptor.parts[2]))
    assert all(any(f"socket:[{n}]" in found for n in inodes) for inodes in sockets.values()), ports
    return set().union(*found.values())


def sockets_at(port):
    """The inodes of sockets that listen there, as the kernel's table of connections has them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[3] == LISTENS and int(row[1].split(":")[1], 16) == port]
