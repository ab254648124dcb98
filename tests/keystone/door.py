"""A door between the service and Keystone, which a test can shut, or keep what comes through it."""

import selectors
import socket
import threading
from urllib.parse import urlsplit


class Door:
    """Passes connections on to the host of `url`. While it is shut, none comes about.

    While `passes` is clear, connections come about and nothing is heard through them.

    With a `tls` context, those in front of it speak TLS.
    """

    def __init__(self, url, tls=None):
        self.tls = tls
        parts = urlsplit(url)
        self.behind = (parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme])
        self.passing = set()
        self.passes = threading.Event()
        self.passes.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        scheme = "https" if tls else parts.scheme
        self.url = f"{scheme}://127.0.0.1:{self.address[1]}{parts.path}"
        self._serve()

    def shut(self):
        # Shut down too: closing alone leaves the thread in accept().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in list(self.passing):
            one.shutdown(socket.SHUT_RDWR)

    def open(self):
        self.listener = socket.create_server(self.address)
        self._serve()

    def _serve(self):
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                front, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=[front], daemon=True).start()

    def _carry(self, front):
        if self.tls:
            try:
                front = self.tls.wrap_socket(front, server_side=True)
            except OSError:
                return
        with front, socket.create_connection(self.behind) as back:
            self.passing |= {front, back}
            try:
                self._copy({front: back, back: front})
            except OSError:
                pass
            finally:
                self.passing -= {front, back}

    def _copy(self, pairs):
        with selectors.DefaultSelector() as selector:
            for one in pairs:
                selector.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    self.passes.wait()
                    pairs[key.fileobj].sendall(data)
