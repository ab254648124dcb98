"""A relay before a database server, which loses connections over a commit."""

import socket
import threading
from urllib.parse import urlsplit, urlunsplit

UNENCRYPTED = {"mysql+pymysql": "ssl_disabled=true", "postgresql+psycopg2": "sslmode=disable"}


class Relay:
    """Passes on what services and their database say. `url` is that of the database, with the relay's
    address; what they say by that is not encrypted."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.to = parts.hostname, parts.port
        self.listener = socket.create_server(("127.0.0.1", 0))
        address = f"{parts.username}:{parts.password}@127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=address, query=UNENCRYPTED[parts.scheme]))
        self.loss = None
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, statement):
        """The next transaction that has that text: its client is cut off when it says `COMMIT`. The
        statement must be one that its connection has not used before."""
        self.loss = Loss(statement.encode())
        return self.loss

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.to)
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._answers, args=[server, client], daemon=True).start()
            threading.Thread(target=self._asks, args=[client, server], daemon=True).start()

    def _asks(self, client, server):
        mine = None
        while said := received(client):
            loss = self.loss
            if loss and not loss.taken and loss.statement in said:
                loss.taken, mine = True, loss
            if mine and b"COMMIT" in said:
                # No answer of the server reaches anybody from here on.
                client.shutdown(socket.SHUT_RDWR)
                mine.cut.set()
                mine.pass_on.wait()
                server.sendall(said)
                return
            server.sendall(said)
        server.close()

    def _answers(self, server, client):
        while said := received(server):
            try:
                client.sendall(said)
            except OSError:
                # The server goes on without its client.
                pass
        client.close()


class Loss:
    """A commit whose client hears nothing: it has gone when `cut` is set, and the server gets the
    commit once `pass_on` is."""

    def __init__(self, statement):
        self.statement, self.taken = statement, False
        self.cut, self.pass_on = threading.Event(), threading.Event()


def received(connection):
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""
