"""Rows for a catalog: as many images as one likes, in minutes.

A million images are 13 million rows: the database makes them itself, with one statement for each
table. What databases spell differently is in a class for each. The rows depend on the number of
images only, so that what is looked for is known beforehand.
"""

import hashlib
import sqlite3
import subprocess
from urllib.parse import unquote, urlsplit

# Images of one project. There are more projects in a larger cloud, not larger ones.
OF_A_PROJECT = 50

DISTRIBUTIONS = ["debian", "ubuntu", "rocky", "alma", "fedora", "suse", "arch", "alpine", "flatcar"]
DISTRIBUTIONS += ["windows"]


def project(number):
    """The id of a project."""
    return hashlib.md5(f"project-{number}".encode()).hexdigest()


def image(number):
    """The id of an image."""
    digits = hashlib.md5(f"image-{number}".encode()).hexdigest()
    return "-".join([digits[:8], digits[8:12], "4" + digits[13:16], "8" + digits[17:20], digits[20:]])


def is_deleted(number):
    """Whether an image is marked deleted."""
    return number % 50 == 7


class Sqlite:
    def __init__(self, connection):
        self.db = sqlite3.connect(connection.split("://", 1)[1][1:])
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
        self.db.create_function("md5", 1, md5, deterministic=True)

    def run(self, statements):
        for statement in ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -400000", *statements]:
            self.db.execute(statement)
        self.db.commit()
        self.db.executescript("PRAGMA wal_checkpoint(TRUNCATE)")

    whole = "/"

    def numbers(self, count):
        return (
            f"(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {count} - 1)"
            " SELECT n FROM c)"
        )

    def time(self, seconds):
        return f"datetime(1600000000 + {seconds}, 'unixepoch') || '.000000'"

    def visibility(self, text):
        return text

    def settled(self, tables):
        """SQLite knows nothing of its tables but what it is told: left as services find it."""
        return []


class Server:
    def __init__(self, connection):
        self.url = urlsplit(connection)

    def run(self, statements):
        text = ";\n".join([*self.opening, *statements]) + ";\n"
        done = subprocess.run(self.command(), input=text, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{self.url.hostname}: {done.stderr.strip()}")


class MariaDB(Server):
    # An empty table is filled in bulk then.
    opening = ["SET unique_checks = 0, foreign_key_checks = 0, sql_mode = 'PIPES_AS_CONCAT'"]
    whole = "DIV"

    def command(self):
        url, socket = self.url, self.url.query.partition("unix_socket=")[2]
        place = [f"--socket={socket}"] if socket else [f"--host={url.hostname}", f"--port={url.port or 3306}"]
        password = [f"--password={unquote(url.password)}"] if url.password else []
        user = f"--user={unquote(url.username)}"
        return ["mariadb", "--no-defaults", *place, user, *password, url.path[1:]]

    def numbers(self, count):
        return f"(SELECT seq AS n FROM seq_0_to_{count - 1})"

    def time(self, seconds):
        return f"TIMESTAMP'2020-09-13 12:26:40' + INTERVAL {seconds} SECOND"

    def visibility(self, text):
        return text

    def settled(self, tables):
        return ["ANALYZE TABLE " + ", ".join(tables)]


class PostgreSQL(Server):
    # Foreign keys are triggers there.
    opening = ["SET session_replication_role = replica", "SET synchronous_commit = off"]
    opening += ["SET client_min_messages = warning", "SET work_mem = '256MB'"]
    whole = "/"

    def command(self):
        url = self.url._replace(scheme="postgresql").geturl()
        return ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", url]

    def numbers(self, count):
        return f"(SELECT n FROM generate_series(0, {count - 1}) AS n)"

    def time(self, seconds):
        return f"TIMESTAMP '2020-09-13 12:26:40' + {seconds} * INTERVAL '1 second'"

    def visibility(self, text):
        return f"CAST({text} AS image_visibility)"

    def settled(self, tables):
        return [f"VACUUM (ANALYZE) {table}" for table in tables]


def database(connection):
    kinds = {"sqlite": Sqlite, "mysql": MariaDB, "mariadb": MariaDB, "postgresql": PostgreSQL}
    return kinds[connection.split(":", 1)[0].split("+")[0]](connection)


def fill(connection, count):
    """Fills the empty tables that a connection string in SQLAlchemy's spelling leads to."""
    db = database(connection)
    db.run(statements(db, count))


def statements(db, count):
    """One for each table, in the order of the images' ids, which is the order of most indexes."""
    tables = ["images", "image_properties", "image_tags", "image_members", "image_locations"]
    return [
        "CREATE TEMPORARY TABLE made (id VARCHAR(36), n BIGINT)",
        f"INSERT INTO made SELECT {ID}, n FROM {db.numbers(count)} AS numbers",
        images(db, count),
        *[part(db, table, columns, sources) for table, (columns, sources) in PARTS.items()],
        members(db, count),
        "DROP TABLE made",
        *db.settled(tables),
    ]


DIGITS = "md5('image-' || n)"
ID = (
    f"substr({DIGITS}, 1, 8) || '-' || substr({DIGITS}, 9, 4) || '-4' || substr({DIGITS}, 14, 3)"
    f" || '-8' || substr({DIGITS}, 18, 3) || '-' || substr({DIGITS}, 21)"
)

# One in fifty is deleted, one in twenty-five is still queued.
STATUS = "CASE WHEN n % 50 = 7 THEN 'deleted' WHEN n % 25 = 10 THEN 'queued' ELSE 'active' END"
GONE = "(n % 50 = 7)"
VISIBILITY = (
    "CASE WHEN n % 20 = 0 THEN 'public' WHEN n % 100 = 1 THEN 'community'"
    " WHEN n % 100 < 32 THEN 'shared' ELSE 'private' END"
)
FORMAT = "CASE n % 5 WHEN 0 THEN 'raw' WHEN 1 THEN 'vmdk' ELSE 'qcow2' END"
HASH = "md5('data-' || n)"


def images(db, count):
    # Neither in the order of ids nor of numbers: 7919 is a prime.
    created = f"(n * 7919 % {count}) * 60"
    size = "(n * 104729 % 1000003) * 65536"
    queued = "n % 25 = 10"
    values = {
        "id": "id",
        "name": distribution(db) + f" || '-' || (n {db.whole} 3)",
        "size": f"CASE WHEN {queued} THEN NULL ELSE {size} END",
        "status": STATUS,
        "created_at": db.time(created),
        "updated_at": db.time(f"({created} + n % 1000 * 3600)"),
        "deleted_at": f"CASE WHEN {GONE} THEN {db.time('100000000')} END",
        "deleted": GONE,
        "disk_format": FORMAT,
        "container_format": "'bare'",
        "checksum": f"CASE WHEN {queued} THEN NULL ELSE {HASH} END",
        "owner": owner(count, "n"),
        "min_disk": "n % 40",
        "min_ram": "n % 8 * 512",
        "protected": "(n % 20 = 3)",
        "virtual_size": f"CASE WHEN {queued} THEN NULL ELSE {size} * 2 END",
        "visibility": db.visibility(VISIBILITY),
        "os_hidden": "(n % 200 = 11)",
        "os_hash_algo": f"CASE WHEN {queued} THEN NULL ELSE 'sha512' END",
        "os_hash_value": f"CASE WHEN {queued} THEN NULL ELSE {' || '.join([HASH] * 4)} END",
    }
    columns, expressions = ", ".join(values), ", ".join(values.values())
    return f"INSERT INTO images ({columns}) SELECT {expressions} FROM made ORDER BY id"


def distribution(db):
    cases = " ".join(f"WHEN {i} THEN '{name}'" for i, name in enumerate(DISTRIBUTIONS))
    return f"CASE n {db.whole} 100 % {len(DISTRIBUTIONS)} {cases} END"


def owner(count, number):
    return f"md5('project-' || ({number} % {max(1, count // OF_A_PROJECT)}))"


# For each table: its columns, and the rows of an image.
PARTS = {
    "image_properties": (
        "name, value",
        [
            ("'os_distro'", "{distribution}"),
            ("'os_version'", "'' || (n % 7)"),
            ("'architecture'", "CASE n % 4 WHEN 0 THEN 'aarch64' ELSE 'x86_64' END"),
            ("'hw_disk_bus'", "'virtio'"),
            ("'build'", "'build-' || (n {whole} 4)"),
        ],
    ),
    "image_tags": ("value", [("'tested'",), ("'release-' || (n {whole} 20)",)]),
    "image_locations": (
        "value, meta_data, status",
        [
            (
                "'file:///var/lib/glance/images/' || id",
                """'{{"store": "file"}}'""",
                "CASE WHEN n % 50 = 7 THEN 'deleted' ELSE 'active' END",
            )
        ],
    ),
}


def part(db, table, columns, sources):
    words = {"whole": db.whole, "distribution": distribution(db)}
    rows = " UNION ALL ".join(
        f"SELECT {i} AS which" for i in range(len(sources))
    )
    values = [
        "CASE which " + " ".join(f"WHEN {i} THEN {value}" for i, value in enumerate(of)) + " END"
        for of in zip(*sources, strict=True)
    ]
    values = ", ".join(values).format(**words)
    return (
        f"INSERT INTO {table} (image_id, {columns}, created_at, updated_at, deleted_at, deleted)"
        f" SELECT id, {values}, {marks(db)} FROM made CROSS JOIN ({rows}) AS kinds"
        " ORDER BY id, which"
    )


def members(db, count):
    """Every shared image is offered to one project; two of three have accepted."""
    status = "CASE n % 3 WHEN 0 THEN 'pending' ELSE 'accepted' END"
    return (
        "INSERT INTO image_members (image_id, member, can_share, status, created_at, updated_at,"
        f" deleted_at, deleted) SELECT id, {owner(count, 'n * 13 + 1')}, (n % 2 = 2), {status},"
        f" {marks(db)} FROM made WHERE n % 100 BETWEEN 2 AND 31 AND n % 20 <> 0 ORDER BY id"
    )


def marks(db):
    """When a part was made and deleted."""
    made, gone = db.time("0"), db.time("100000000")
    return f"{made}, {made}, CASE WHEN {GONE} THEN {gone} END, {GONE}"
