"""A server that only listens."""

import socket
import ssl
import threading


class Listener:
    """Accepts connections, keeps what each says first, and hangs up.

    With a certificate and its key, connections speak TLS; of one that does not come about, or says
    nothing, `heard` has `b""`.
    """

    def __init__(self, certificate=None):
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.heard = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            connection, _ = self.socket.accept()
            with connection:
                self.heard.append(self._hear(connection))

    def _hear(self, connection):
        connection.settimeout(10)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            return connection.recv(4096)
        except OSError:
            return b""
