"""MongoDB's wire protocol: what is taken off a connection, and what is sent.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import struct

import bson

HEADER = struct.Struct("<iiii")
REPLY, QUERY, MESSAGE = 1, 2004, 2013
CHECKSUM, MORE_TO_COME = 1, 2
LARGEST = 48_000_000


class Request:
    """A command. Documents that come beside it (of an insert) are left encoded."""

    def __init__(self, number, operation, data):
        self.number, self.operation, self.beside = number, operation, {}
        self.answered = True
        if operation == MESSAGE:
            self._read_message(data)
        elif operation == QUERY:
            self._read_query(data)
        else:
            raise ValueError(f"operation {operation} is none that clients send")
        self.name = next(iter(self.body))

    def _read_message(self, data):
        [flags] = struct.unpack_from("<I", data)
        if flags & ~(CHECKSUM | MORE_TO_COME | 1 << 16):
            raise ValueError(f"flags {flags:#x}")
        self.answered = not flags & MORE_TO_COME
        at, end = 4, len(data) - (4 if flags & CHECKSUM else 0)
        while at < end:
            kind = data[at]
            [length] = struct.unpack_from("<i", data, at + 1)
            section = data[at + 1 : at + 1 + length]
            if len(section) != length:
                raise ValueError("a section is longer than its message")
            if kind == 0:
                self.body = bson.decode(section)
            elif kind == 1:
                self._read_sequence(section)
            else:
                raise ValueError(f"a section of kind {kind}")
            at += 1 + length

    def _read_sequence(self, section):
        name, at = section[4:].split(b"\0", 1)[0].decode(), 4
        at += len(name) + 1
        documents = self.beside.setdefault(name, [])
        while at < len(section):
            [length] = struct.unpack_from("<i", section, at)
            documents.append(bytes(section[at : at + length]))
            at += length

    def _read_query(self, data):
        """As clients begin with, before they know what the server speaks."""
        name = data[4:].split(b"\0", 1)[0]
        at = 4 + len(name) + 1 + 8
        [length] = struct.unpack_from("<i", data, at)
        self.body = bson.decode(data[at : at + length])
        self.body.setdefault("$db", name.decode().split(".", 1)[0])

    def response(self, number, document):
        encoded = bson.encode(document)
        if self.operation == QUERY:
            # No cursor, from the beginning, one document; "await capable".
            head, operation = struct.pack("<iqii", 8, 0, 0, 1), REPLY
        else:
            head, operation = struct.pack("<IB", 0, 0), MESSAGE
        length = HEADER.size + len(head) + len(encoded)
        return HEADER.pack(length, number, self.number, operation) + head + encoded


def receive(connection):
    """The next request; none where the client has gone."""
    header = _exactly(connection, HEADER.size)
    if header is None:
        return None
    length, number, _, operation = HEADER.unpack(header)
    if not HEADER.size < length <= LARGEST:
        raise ValueError(f"a message of {length} bytes")
    data = _exactly(connection, length - HEADER.size)
    return data and Request(number, operation, data)


def _exactly(connection, length):
    data = bytearray(length)
    view, got = memoryview(data), 0
    while got < length:
        read = connection.recv_into(view[got:])
        if not read:
            return None
        got += read
    return data
