"""gridfs_copy.py URI DATABASE NAME put|get|delete [FILE]: a file of GridFS, by MongoDB's own driver.

What is got goes to standard output where FILE is `-`."""

import shutil
import sys

import gridfs
import pymongo


def main():
    uri, database, name, what, *file = sys.argv[1:]
    files = gridfs.GridFS(pymongo.MongoClient(uri)[database])
    match what, file:
        case "put", [path]:
            with open(path, "rb") as source:
                files.put(source, _id=name, filename=name)
        case "get", ["-"]:
            shutil.copyfileobj(files.get(name), sys.stdout.buffer, 1 << 20)
        case "get", [path]:
            with open(path, "wb") as target:
                shutil.copyfileobj(files.get(name), target, 1 << 20)
        case "delete", []:
            files.delete(name)


main()
