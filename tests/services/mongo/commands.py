"""The commands that a client of GridFS needs, as a server without replicas answers them.

https://www.mongodb.com/docs/manual/reference/command/
"""

import datetime
import itertools
import threading
import time

import bson
from bson.int64 import Int64

from collection import Collection, Refused, Spool, hashable
from scram import Exchange

LARGEST_DOCUMENT = 16 * 1024 * 1024
# What a client may say before it has logged in.
OPEN = {"hello", "isMaster", "ismaster", "ping", "buildInfo", "saslStart", "saslContinue", "endSessions"}
HELLO = {
    "helloOk": True,
    "maxBsonObjectSize": LARGEST_DOCUMENT,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "logicalSessionTimeoutMinutes": 30,
    "minWireVersion": 0,
    # MongoDB 7.0.
    "maxWireVersion": 21,
    "readOnly": False,
}


class Close(Exception):
    """The connection is to end."""


class Server:
    """What all connections share."""

    def __init__(self, folder, user, password):
        self.user, self.password = user, password
        self.lock, self.numbers = threading.Lock(), itertools.count(1)
        self.spool = Spool(folder)
        self.collections, self.cursors, self.failing = {}, {}, []

    def collection(self, database, name, made=False):
        key = (database, name)
        if made and key not in self.collections:
            self.collections[key] = Collection(self.spool)
        return self.collections.get(key)


class Client:
    """A connection: what it has said of itself, and its commands."""

    def __init__(self, server):
        self.server, self.number = server, next(server.numbers)
        self.logged_in, self.exchange, self.application = False, None, None

    def answer(self, request):
        """The reply to a request."""
        try:
            late = self._failing(request.name)
            command = COMMANDS.get(request.name)
            if command is None:
                raise Refused(59, "CommandNotFound", f"no such command: '{request.name}'")
            if request.name not in OPEN and not self.logged_in:
                raise Refused(13, "Unauthorized", f"Command {request.name} requires authentication")
            with self.server.lock:
                reply = command(self, request.body["$db"], request.body, request.beside)
            return {**reply, **late, "ok": 1.0}
        except Refused as refused:
            return refused.reply

    def _failing(self, name):
        """Does what a fail point says, as servers do whose test commands are enabled."""
        with self.server.lock:
            points = [point for point in self.server.failing if point.meets(name, self.application)]
        for data in (point.data for point in points):
            if data.get("blockConnection"):
                time.sleep(data["blockTimeMS"] / 1000)
            if data.get("closeConnection"):
                raise Close
            if "errorCode" in data:
                raise Refused(data["errorCode"], "FailPoint", "a fail point says so")
            if "writeConcernError" in data:
                return {"writeConcernError": data["writeConcernError"]}
        return {}

    def hello(self, database, body, _):
        application = body.get("client", {}).get("application", {})
        self.application = application.get("name", self.application)
        primary = "isWritablePrimary" if body.get("hello") else "ismaster"
        reply = {primary: True, **HELLO, "localTime": now(), "connectionId": self.number}
        if "saslSupportedMechs" in body:
            reply["saslSupportedMechs"] = ["SCRAM-SHA-1", "SCRAM-SHA-256"]
        if "speculativeAuthenticate" in body:
            early = body["speculativeAuthenticate"]
            reply["speculativeAuthenticate"] = self.sasl_start(early.get("db", database), early, _)
        return reply

    def sasl_start(self, database, body, _):
        try:
            self.exchange = Exchange(body["mechanism"], self.server.user, self.server.password)
        except KeyError:
            raise Refused(334, "MechanismUnavailable", "no such mechanism") from None
        # The user is of this database.
        self.exchange_is_of_user = database == "admin"
        self.short = body.get("options", {}).get("skipEmptyExchange", False)
        return {"conversationId": 1, "done": False, "payload": self.exchange.first(body["payload"])}

    def sasl_continue(self, _, body, __):
        if self.exchange is None:
            raise Refused(17, "ProtocolError", "no log-in has begun")
        if self.logged_in and not body["payload"]:
            return {"conversationId": 1, "done": True, "payload": b""}
        said = self.exchange.last(body["payload"]) if self.exchange_is_of_user else None
        if said is None:
            raise Refused(18, "AuthenticationFailed", "Authentication failed.")
        self.logged_in = True
        return {"conversationId": 1, "done": self.short, "payload": said}

    def insert(self, database, body, beside):
        raws = beside.get("documents") or [bson.encode(each) for each in body["documents"]]
        if len(raws) > HELLO["maxWriteBatchSize"] or max(map(len, raws)) > LARGEST_DOCUMENT:
            raise Refused(10334, "BSONObjectTooLarge", "too many documents, or too large ones")
        collection = self.server.collection(database, body["insert"], made=True)
        errors, added = [], 0
        for index, raw in enumerate(raws):
            try:
                collection.insert(raw)
                added += 1
            except Refused as refused:
                errors.append({"index": index, **without(refused.reply, "ok", "codeName")})
                if body.get("ordered", True):
                    break
        return {"n": added, **({"writeErrors": errors} if errors else {})}

    def delete(self, database, body, beside):
        removed = 0
        for each in [*body.get("deletes", []), *map(bson.decode, beside.get("deletes", []))]:
            for entry in self._found(database, body["delete"], each["q"], limit=each["limit"]):
                self.server.collection(database, body["delete"]).delete(entry)
                removed += 1
        return {"n": removed}

    def find(self, database, body, _):
        order, skip, limit = body.get("sort", {}), body.get("skip", 0), body.get("limit", 0)
        found = self._found(database, body["find"], body.get("filter", {}), order, skip, limit)
        namespace = f"{database}.{body['find']}"
        cursor = (namespace, found, body.get("projection", {}))
        batch = self._batch(cursor, body.get("batchSize", 101))
        number = 0
        if found and not body.get("singleBatch"):
            number = next(self.server.numbers)
            self.server.cursors[number] = cursor
        return {"cursor": {"id": Int64(number), "ns": namespace, "firstBatch": batch}}

    def get_more(self, database, body, _):
        number = body["getMore"]
        cursor = self.server.cursors.get(number)
        if cursor is None:
            raise Refused(43, "CursorNotFound", f"cursor id {number} not found")
        batch = self._batch(cursor, body.get("batchSize", 1 << 30))
        if not cursor[1]:
            del self.server.cursors[number]
            number = 0
        return {"cursor": {"id": Int64(number), "ns": cursor[0], "nextBatch": batch}}

    def kill_cursors(self, _, body, __):
        killed = [number for number in body["cursors"] if self.server.cursors.pop(number, None)]
        return {"cursorsKilled": killed, "cursorsNotFound": [], "cursorsAlive": [], "cursorsUnknown": []}

    def _batch(self, cursor, most):
        """What comes next of a cursor: as much as a document may have, and at least one."""
        _, found, projection = cursor
        batch, size = [], 0
        while found and len(batch) < most and (not batch or size < LARGEST_DOCUMENT):
            size += len(found[0].bytes())
            batch.append(found.pop(0).projected(projection))
        return batch

    def _found(self, database, name, query, order=None, skip=0, limit=0):
        collection = self.server.collection(database, name)
        found = collection.find(query) if collection else []
        for field, way in reversed((order or {}).items()):
            found.sort(key=lambda entry: entry.fields.get(field), reverse=way < 0)
        return found[skip : skip + limit if limit else None]

    def distinct(self, database, body, _):
        found = self._found(database, body["distinct"], body.get("query", {}))
        values = [entry.fields[body["key"]] for entry in found if body["key"] in entry.fields]
        return {"values": list({hashable(value): value for value in values}.values())}

    def create_indexes(self, database, body, _):
        collection = self.server.collection(database, body["createIndexes"], made=True)
        before = len(collection.indexes)
        for index in body["indexes"]:
            collection.create_index(index["name"], index["key"], index.get("unique", False))
        return {"numIndexesBefore": before, "numIndexesAfter": len(collection.indexes)}

    def list_indexes(self, database, body, _):
        name = body["listIndexes"]
        collection = self.server.collection(database, name)
        if collection is None:
            raise Refused(26, "NamespaceNotFound", f"ns does not exist: {database}.{name}")
        shown = [index.shown() for index in collection.indexes.values()]
        return {"cursor": {"id": Int64(0), "ns": f"{database}.{name}", "firstBatch": shown}}

    def drop_database(self, database, _, __):
        for key in [key for key in self.server.collections if key[0] == database]:
            self.server.collections.pop(key).drop()
        return {"dropped": database}

    def configure_fail_point(self, _, body, __):
        if body["configureFailPoint"] != "failCommand":
            raise Refused(2, "BadValue", "there is failCommand alone")
        point = FailPoint(body.get("mode"), body.get("data", {}))
        others = [other for other in self.server.failing if not other.replaced_by(point)]
        self.server.failing = [*others, *([] if body["mode"] == "off" else [point])]
        return {}


class FailPoint:
    def __init__(self, mode, data):
        self.data = data
        self.skip = mode.get("skip", 0) if isinstance(mode, dict) else 0
        self.times = mode.get("times", 1 << 30) if isinstance(mode, dict) else 1 << 30

    def replaced_by(self, other):
        return self.data.get("appName") == other.data.get("appName")

    def meets(self, name, application):
        if name not in self.data.get("failCommands", []):
            return False
        if self.data.get("appName") not in (None, application):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


def now():
    return datetime.datetime.now(datetime.UTC)


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


def nothing(*_):
    return {}


def build_info(*_):
    return {"version": "7.0.0", "versionArray": [7, 0, 0, 0], "maxBsonObjectSize": LARGEST_DOCUMENT}


COMMANDS = {
    "hello": Client.hello,
    "isMaster": Client.hello,
    "ismaster": Client.hello,
    "ping": nothing,
    "buildInfo": build_info,
    "saslStart": Client.sasl_start,
    "saslContinue": Client.sasl_continue,
    "endSessions": nothing,
    "insert": Client.insert,
    "delete": Client.delete,
    "find": Client.find,
    "getMore": Client.get_more,
    "killCursors": Client.kill_cursors,
    "distinct": Client.distinct,
    "createIndexes": Client.create_indexes,
    "listIndexes": Client.list_indexes,
    "dropDatabase": Client.drop_database,
    "configureFailPoint": Client.configure_fail_point,
}
