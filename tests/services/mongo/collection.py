"""Collections of documents, with unique indexes. What is long lies in a file."""

import os

import bson
from bson.raw_bson import RawBSONDocument

DUPLICATE, CONFLICT = 11000, 86
# From how many bytes on a document lies in the file, and a value is not looked for.
LONG = 4096


class Refused(Exception):
    """What a command fails with."""

    def __init__(self, code, name, message, **more):
        super().__init__(message)
        self.reply = {"ok": 0.0, "errmsg": message, "code": code, "codeName": name, **more}


class Spool:
    """Bytes in a file that has no name. What is removed leaves its place to what is as long."""

    def __init__(self, folder):
        path = os.path.join(folder, "spool")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.unlink(path)
        self.end, self.held, self.free = 0, 0, {}

    def keep(self, data):
        places = self.free.get(len(data))
        at = places.pop() if places else self.end
        self.end = max(self.end, at + len(data))
        self.held += 1
        os.pwrite(self.file, data, at)
        return at, len(data)

    def read(self, place):
        at, length = place
        return os.pread(self.file, length, at)

    def remove(self, place):
        at, length = place
        self.free.setdefault(length, []).append(at)
        self.held -= 1
        if not self.held:
            os.ftruncate(self.file, 0)
            self.end, self.free = 0, {}


class Entry:
    """A document: its fields but the long ones, and where all of it is."""

    def __init__(self, raw, spool):
        fields = bson.decode(raw)
        self.fields = {name: value for name, value in fields.items() if not _is_long(value)}
        self.spool = spool if len(raw) >= LONG else None
        self.raw = self.spool.keep(raw) if self.spool else raw

    def bytes(self):
        return self.spool.read(self.raw) if self.spool else self.raw

    def projected(self, projection):
        if not projection:
            return RawBSONDocument(self.bytes())
        with_id = projection.get("_id", 1)
        named = {name: bool(on) for name, on in projection.items() if name != "_id"}
        including = any(named.values()) or not named
        document = bson.decode(self.bytes())
        return {
            name: value
            for name, value in document.items()
            if (with_id if name == "_id" else named.get(name, not including))
        }

    def remove(self):
        if self.spool:
            self.spool.remove(self.raw)


def _is_long(value):
    return isinstance(value, bytes) and len(value) >= LONG


class Index:
    """By the first of its fields, entries by the others."""

    def __init__(self, name, keys, unique):
        self.name, self.keys, self.unique = name, keys, unique
        self.groups = {}

    def key(self, fields):
        first, *others = (hashable(fields.get(name)) for name in self.keys)
        return first, tuple(others)

    def shown(self):
        unique = {"unique": True} if self.unique and self.name != "_id_" else {}
        return {"v": 2, "key": self.keys, "name": self.name} | unique

    def refuse_another(self, fields):
        first, others = self.key(fields)
        if self.unique and others in self.groups.get(first, {}):
            values = {name: fields.get(name) for name in self.keys}
            raise Refused(
                DUPLICATE,
                "DuplicateKey",
                f"E11000 duplicate key error index: {self.name} dup key: {values}",
                keyPattern=self.keys,
                keyValue=values,
            )

    def add(self, entry):
        first, others = self.key(entry.fields)
        self.groups.setdefault(first, {}).setdefault(others, []).append(entry)

    def remove(self, entry):
        first, others = self.key(entry.fields)
        group = self.groups[first]
        group[others].remove(entry)
        if not group[others]:
            del group[others]
        if not group:
            del self.groups[first]

    def among(self, query):
        """The entries that a query may mean; none where it does not say the first field."""
        first, *others = self.keys
        if first not in query or _operators(query[first]):
            return None
        group = self.groups.get(hashable(query[first]), {})
        bounds = _operators(query.get(others[0])) if len(others) == 1 and others[0] in query else {}
        if {"$gte", "$lt"} <= bounds.keys() and bounds["$lt"] - bounds["$gte"] < len(group):
            wanted = range(bounds["$gte"], bounds["$lt"])
            return [entry for n in wanted for entry in group.get((hashable(n),), [])]
        return [entry for entries in group.values() for entry in entries]


class Collection:
    def __init__(self, spool):
        self.spool = spool
        self.indexes = {"_id_": Index("_id_", {"_id": 1}, unique=True)}

    def insert(self, raw):
        entry = Entry(raw, self.spool)
        try:
            for index in self.indexes.values():
                index.refuse_another(entry.fields)
        except Refused:
            entry.remove()
            raise
        for index in self.indexes.values():
            index.add(entry)

    def find(self, query):
        for index in self.indexes.values():
            among = index.among(query)
            if among is not None:
                break
        else:
            groups = self.indexes["_id_"].groups.values()
            among = [entry for group in groups for entries in group.values() for entry in entries]
        return [entry for entry in among if matches(entry.fields, query)]

    def delete(self, entry):
        for index in self.indexes.values():
            index.remove(entry)
        entry.remove()

    def create_index(self, name, keys, unique):
        for index in self.indexes.values():
            same_keys = list(index.keys.items()) == list(keys.items())
            if same_keys and index.unique == unique:
                return
            if same_keys or index.name == name:
                raise Refused(CONFLICT, "IndexKeySpecsConflict", f"there is an index {index.name}")
        index = Index(name, keys, unique)
        for entry in self.find({}):
            index.refuse_another(entry.fields)
            index.add(entry)
        self.indexes[name] = index

    def drop(self):
        for entry in self.find({}):
            entry.remove()


COMPARISONS = {
    "$eq": lambda a, b: a == b,
    "$ne": lambda a, b: a != b,
    "$in": lambda a, b: a in b,
    "$gt": lambda a, b: _alike(a, b) and a > b,
    "$gte": lambda a, b: _alike(a, b) and a >= b,
    "$lt": lambda a, b: _alike(a, b) and a < b,
    "$lte": lambda a, b: _alike(a, b) and a <= b,
}


def _alike(*values):
    """Values of other types are not compared; numbers are of one."""
    kinds = {(int, float) if isinstance(value, (int, float)) else type(value) for value in values}
    return len(kinds) == 1



def matches(fields, query):
    for name, wanted in query.items():
        if name.startswith("$") or not set(_operators(wanted)) <= COMPARISONS.keys():
            raise Refused(2, "BadValue", f"{name}: {wanted} is not known to this server")
        comparisons = _operators(wanted) or {"$eq": wanted}
        if not all(COMPARISONS[how](fields.get(name), value) for how, value in comparisons.items()):
            return False
    return True


def _operators(wanted):
    is_operators = isinstance(wanted, dict) and any(name.startswith("$") for name in wanted)
    return wanted if is_operators else {}


def hashable(value):
    return bson.encode({"": value}) if isinstance(value, (dict, list)) else value
