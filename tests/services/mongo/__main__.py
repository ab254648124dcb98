"""A server of MongoDB's wire protocol for the tests: it answers as MongoDB does to a client of GridFS, and
keeps nothing when it ends. It shares nothing with the store: BSON is that of MongoDB's own driver.
"""

import argparse
import itertools
import os
import socketserver
import ssl
import threading

from commands import Client, Close, Server
from wire import receive


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        client, numbers = Client(self.server.shared), itertools.count(1)
        try:
            if isinstance(self.request, ssl.SSLSocket):
                self.request.do_handshake()
            while request := receive(self.request):
                reply = client.answer(request)
                if request.answered:
                    self.request.sendall(request.response(next(numbers), reply))
        except (Close, ConnectionError, ssl.SSLError):
            pass


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, shared, tls, address):
        super().__init__(("127.0.0.1", 0), Connection)
        self.shared, self.tls = shared, tls
        with open(f"{address}.new", "w") as file:
            file.write("{}:{}".format(*self.server_address))
        os.rename(f"{address}.new", address)

    def get_request(self):
        connection, address = super().get_request()
        if self.tls:
            # The handshake is the connection's own matter.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--folder", required=True, help="where it keeps what is long")
    arguments.add_argument("--address", required=True, help="the file that it writes its address to")
    arguments.add_argument("--tls-address", required=True, help="the same, for connections with TLS")
    arguments.add_argument("--certificate", required=True, help="PEM, with its key")
    arguments.add_argument("--user", required=True)
    arguments.add_argument("--password", required=True)
    given = arguments.parse_args()
    server = Server(given.folder, given.user, given.password)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(given.certificate)
    secure = Listener(server, tls, given.tls_address)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    Listener(server, None, given.address).serve_forever()


main()
