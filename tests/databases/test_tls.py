"""Databases behind TLS: whom to trust, in the words that SQLAlchemy's drivers have for it."""

import subprocess

import pytest

from databases.certificates import Authority
from own_database import Server
from service import TINTYPE

ADDRESS = "subjectAltName=IP:127.0.0.1"
# The server's certificate names its address, and no other name.
NAMED, UNNAMED = "127.0.0.1", "localhost"

# Parameters, the server's name, and what the refusal says; nothing where the database is reached.
MARIADB = [
    ("", UNNAMED, None),
    ("ssl_ca={ca}", NAMED, None),
    ("ssl_ca={ca}&ssl_disabled=false", NAMED, None),
    ("ssl_ca={ca}", UNNAMED, "certificate verify failed"),
    ("ssl_ca={ca}&ssl_check_hostname=false", UNNAMED, None),
    ("ssl_ca={other}", NAMED, "certificate verify failed"),
    ("ssl_ca={other}&ssl_check_hostname=false", NAMED, "certificate verify failed"),
    ("ssl_disabled=true", NAMED, "Access denied"),
    ("ssl_disabled=true&ssl_ca={ca}", NAMED, "Access denied"),
    ("ssl_capath=/etc/ssl/certs", NAMED, "name a file of them by ssl_ca"),
    ("ssl_ca={both}", NAMED, None),
    ("ssl_ca={both}", UNNAMED, "certificate verify failed"),
    ("ssl_ca={missing}", NAMED, "ssl_ca {missing}: No such file"),
    ("ssl_ca={key}", NAMED, "ssl_ca {key}: there is no certificate in it"),
    ("read_default_file={options}", NAMED, None),
    ("read_default_file={options}", UNNAMED, "certificate verify failed"),
    ("read_default_file={options}&read_default_group=strangers", NAMED, "certificate verify failed"),
    ("read_default_file={options}&ssl_check_hostname=false", UNNAMED, None),
    ("read_default_file={missing}", NAMED, "read_default_file {missing}: No such file"),
    ("ssl_cert={missing}&ssl_key={key}", NAMED, "ssl_cert {missing}: No such file"),
    ("ssl_cert={certificate}&ssl_key={missing}", NAMED, "ssl_key {missing}: No such file"),
]
POSTGRESQL = [
    ("", UNNAMED, None),
    ("sslmode=require", UNNAMED, None),
    ("sslmode=require&sslrootcert={ca}", UNNAMED, None),
    ("sslmode=require&sslrootcert={other}", NAMED, "certificate verify failed"),
    ("sslmode=verify-ca&sslrootcert={ca}", UNNAMED, None),
    ("sslmode=verify-full&sslrootcert={ca}", NAMED, None),
    ("sslmode=verify-full&sslrootcert={ca}", UNNAMED, "certificate verify failed"),
    ("sslmode=verify-full&sslrootcert={other}", NAMED, "certificate verify failed"),
    ("sslmode=disable", NAMED, "no encryption"),
    ("sslmode=verify-full&sslrootcert={both}", NAMED, None),
    ("sslmode=verify-full&sslrootcert={both}", UNNAMED, "certificate verify failed"),
    ("sslmode=require&sslrootcert={missing}", NAMED, "sslrootcert {missing}: No such file"),
    ("sslcert={certificate}&sslkey={missing}", NAMED, "sslkey {missing}: No such file"),
]


class Guarded:
    """A server that is spoken to encrypted only, and lets one account in by its certificate only."""

    def __init__(self, kind):
        self.server = Server(kind)
        folder = self.server.folder
        self.authority, self.other = Authority(folder, "authority"), Authority(folder, "other")
        self.files = {
            "ca": self.authority.certificate,
            "other": self.other.certificate,
            # As while one authority follows another.
            "both": folder / "both.pem",
            "missing": folder / "missing.pem",
            "options": folder / "my.cnf",
        }
        groups = {"client": self.files["ca"], "strangers": self.files["other"]}
        groups = [f"[{name}]\nssl=1\nssl-ca={file}\n" for name, file in groups.items()]
        self.files["options"].write_text("".join(groups))
        certificates = [self.other.certificate, self.authority.certificate]
        self.files["both"].write_text("".join(file.read_text() for file in certificates))
        self.files["certificate"], self.files["key"] = self.authority.sign("client")
        self.files["old_key"] = in_pkcs1(self.files["key"])
        pair = self.authority.sign("server", ADDRESS)
        self.server.own(*pair)
        start = {"mariadb": self._start_mariadb, "postgresql": self._start_postgresql}[kind]
        self.connection = start(*pair)

    def _start_mariadb(self, certificate, key):
        files = [f"--ssl-cert={certificate}", f"--ssl-key={key}"]
        files += [f"--ssl-ca={self.authority.certificate}", "--require-secure-transport=ON"]
        url = self.server.start(*files).where
        client = ["mariadb", "--no-defaults", f"--socket={self.server.folder / 'server/socket'}"]
        grant = "GRANT ALL ON glance.* TO certified@127.0.0.1 IDENTIFIED BY 'tintype' REQUIRE X509"
        subprocess.run([*client, "-uroot", "-ptintype", "-e", grant], check=True)
        return url.replace("mysql://", "mysql+pymysql://")

    def _start_postgresql(self, certificate, key):
        hosts = self.server.folder / "hosts"
        hosts.write_text(
            "hostssl all certified 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n"
            "hostssl all all 127.0.0.1/32 scram-sha-256\n"
        )
        settings = {"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": key}
        settings |= {"ssl_ca_file": self.authority.certificate, "hba_file": hosts}
        options = [word for name, value in settings.items() for word in ["-c", f"{name}={value}"]]
        url = self.server.start(*options).where
        role = "CREATE ROLE certified SUPERUSER LOGIN PASSWORD 'tintype'"
        subprocess.run(["psql", "-q", f"{url}?sslmode=require", "-c", role], check=True)
        return url

    def check(self, parameters, host=NAMED, account="glance"):
        """`tintype db check` with these parameters: what it says, and its exit code."""
        connection = self.connection.replace("//glance:", f"//{account}:")
        connection = connection.replace("@127.0.0.1:", f"@{host}:")
        config = self.server.folder / "glance-api.conf"
        parameters = parameters.format(**self.files)
        config.write_text(f"[database]\nconnection = {connection}?{parameters}\n")
        command = [TINTYPE, "db", "check", "--config-file", config]
        # Less than until a database that is away would be tried again.
        done = subprocess.run(command, capture_output=True, text=True, timeout=9)
        assert "tintype@" not in done.stderr, "a password is shown"
        return done.stdout + done.stderr, done.returncode


def in_pkcs1(key):
    """The key as older tools write it (`BEGIN RSA PRIVATE KEY`)."""
    old = key.with_suffix(".old")
    subprocess.run(["openssl", "rsa", "-traditional", "-in", key, "-out", old], check=True)
    return old


def guarded(kind):
    server = Guarded(kind)
    yield server
    server.server.close()


@pytest.fixture(scope="module")
def mariadb():
    yield from guarded("mariadb")


@pytest.fixture(scope="module")
def postgresql():
    yield from guarded("postgresql")


def holds(server, parameters, host, refusal, account="glance"):
    said, code = server.check(parameters, host, account)
    if refusal is None:
        assert (code, said) == (3, "There are no tables yet. Run `tintype db sync`.\n")
    else:
        assert code == 1 and refusal.format(**server.files) in said, said


@pytest.mark.parametrize("parameters, host, refusal", MARIADB)
def test_mariadb(mariadb, parameters, host, refusal):
    holds(mariadb, parameters, host, refusal)


@pytest.mark.parametrize("parameters, host, refusal", POSTGRESQL)
def test_postgresql(postgresql, parameters, host, refusal):
    holds(postgresql, parameters, host, refusal)


@pytest.mark.parametrize(
    "parameters, refusal",
    [
        ("", "Access denied"),
        ("ssl_ca={ca}&ssl_cert={certificate}&ssl_key={key}", None),
        ("ssl_ca={both}&ssl_cert={certificate}&ssl_key={old_key}", None),
    ],
)
def test_mariadb_is_shown_our_certificate(mariadb, parameters, refusal):
    holds(mariadb, parameters, NAMED, refusal, account="certified")


@pytest.mark.parametrize(
    "parameters, refusal",
    [
        ("", "requires a valid client certificate"),
        ("sslmode=verify-full&sslrootcert={ca}&sslcert={certificate}&sslkey={key}", None),
        ("sslmode=verify-full&sslrootcert={both}&sslcert={certificate}&sslkey={old_key}", None),
    ],
)
def test_postgresql_is_shown_our_certificate(postgresql, parameters, refusal):
    holds(postgresql, parameters, NAMED, refusal, account="certified")
