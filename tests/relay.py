"""A relay before a database server, which loses connections over a commit."""

import socket
import threading
from urllib.parse import urlsplit, urlunsplit

from between import Between

UNENCRYPTED = {"mysql+pymysql": "ssl_disabled=true", "postgresql+psycopg2": "sslmode=disable"}


class Relay(Between):
    """Passes on what services and their database say. `url` is that of the database, with the relay's
    address; what they say by that is not encrypted."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.loss = None
        super().__init__(parts.hostname, parts.port)
        address = f"{parts.username}:{parts.password}@127.0.0.1:{self.port}"
        self.url = urlunsplit(parts._replace(netloc=address, query=UNENCRYPTED[parts.scheme]))

    def lose(self, statement, hold=False):
        """The next transaction that has that text: its client is cut off when it says `COMMIT`, or goes
        on to wait where it is to be held. The statement must be one that its connection has not used
        before."""
        self.loss = Loss(statement.encode(), hold)
        return self.loss

    def connected(self, client, server):
        silent = threading.Event()
        for says in (self._answers, self._asks):
            threading.Thread(target=says, args=[client, server, silent], daemon=True).start()

    def _asks(self, client, server, silent):
        mine = None
        while said := received(client):
            loss = self.loss
            if loss and not loss.taken and loss.statement in said:
                loss.taken, mine = True, loss
            if mine and b"COMMIT" in said:
                silent.set()
                if not mine.hold:
                    client.shutdown(socket.SHUT_RDWR)
                mine.cut.set()
                mine.pass_on.wait()
                server.sendall(said)
                return
            server.sendall(said)
        server.close()

    def _answers(self, client, server, silent):
        while said := received(server):
            try:
                if not silent.is_set():
                    client.sendall(said)
            except OSError:
                silent.set()
        client.close()


class Loss:
    """A commit whose client hears nothing any more when `cut` is set; the server gets it once `pass_on`
    is."""

    def __init__(self, statement, hold):
        self.statement, self.hold, self.taken = statement, hold, False
        self.cut, self.pass_on = threading.Event(), threading.Event()


def received(connection):
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""
