"""A firewall before a server, which forgets connections."""

import socket
import threading
from urllib.parse import urlsplit


class Firewall:
    """Hands on what comes and goes. `url` is that of the server, with the firewall's address.

    `forget` has it drop what comes on the connections that there are. For the server they have ended,
    and nobody tells the others: so it is, too, where an address moves to another machine.
    """

    def __init__(self, url):
        to = urlsplit(url)
        self.to = (to.hostname, to.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        self.url = to._replace(netloc=to.netloc.replace(str(to.port), str(port))).geturl()
        self.known, self.forgotten = [], set()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for end in [self.listener, *(end for ends in self.known for end in ends)]:
            end.close()

    def forget(self):
        for near, far in self.known:
            self.forgotten |= {near, far}
            try:
                far.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It has ended before.

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.to)
            except OSError:
                near.close()
                continue
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
