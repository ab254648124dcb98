"""A firewall before a server, which forgets connections."""

import socket
import threading
from urllib.parse import urlsplit

from between import Between


class Firewall(Between):
    """Hands on what comes and goes. `url` is that of the server, with the firewall's address.

    `forget` has it drop what comes on the connections that there are. For the server they have ended,
    and nobody tells the others: so it is, too, where an address moves to another machine.
    """

    def __init__(self, url):
        to = urlsplit(url)
        self.known, self.forgotten = [], set()
        super().__init__(to.hostname, to.port)
        self.url = to._replace(netloc=to.netloc.replace(str(to.port), str(self.port))).geturl()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        for end in (end for ends in self.known for end in ends):
            end.close()

    def forget(self):
        for near, far in self.known:
            self.forgotten |= {near, far}
            try:
                far.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It has ended before.

    def connected(self, near, far):
        self.known.append((near, far))
        for ends in [(near, far), (far, near)]:
            threading.Thread(target=self._hand_on, args=ends, daemon=True).start()

    def _hand_on(self, source, sink):
        try:
            while data := source.recv(65536):
                if source not in self.forgotten:
                    sink.sendall(data)
            if source not in self.forgotten:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
