"""What tests of imports share: a web server, and a service that may download from it."""

import http.server
import threading

import pytest

from service import Account, Service, unique


class Web:
    """Serves what it is given, at the pace and with the faults that a test chooses."""

    def __init__(self):
        self.files = {}
        self.redirects = {}
        self.asked = []
        # Paths whose second half waits until the event is set.
        self.gates = {}
        # Paths that break off in the middle.
        self.broken = set()
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web.asked.append(self.path)
                if target := web.redirects.get(self.path):
                    self.send_response(302)
                    self.send_header("Location", target)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                elif (data := web.files.get(self.path)) is None:
                    self.send_error(404)
                else:
                    self.send(data)

            def do_HEAD(self):
                data = web.files.get(self.path)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()

            def send(self, data):
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                half = len(data) // 2
                try:
                    self.wfile.write(data[:half])
                    self.wfile.flush()
                    if self.path in web.broken:
                        self.close_connection = True
                        return
                    if gate := web.gates.get(self.path):
                        gate.wait(timeout=60)
                    self.wfile.write(data[half:])
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, path, data, gate=None):
        self.files[path] = data
        if gate:
            self.gates[path] = gate
        return self.url(path)


CONFIG = """\
[DEFAULT]
enabled_backends = {backends}
enabled_import_methods = [glance-direct,web-download,copy-image,glance-download]
{default}
[glance_store]
default_backend = {first}
{sections}
[os_glance_staging_store]
filesystem_store_datadir = {path}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {path}/tasks
[import_filtering_opts]
allowed_hosts = [127.0.0.1]
allowed_ports = [80, {port}]
{more}
"""


def configuration(path, web, stores=None, default="", more=""):
    """What makes a service that may download from `web`. `stores` are their kinds and the lines of
    their sections, by their names, the default one first; without, two of files, `fast` and `slow`."""
    folder = "filesystem_store_datadir = {path}/{name}"
    files = {name: ("file", folder.format(path=path, name=name)) for name in ("fast", "slow")}
    stores = stores or files
    return CONFIG.format(
        path=path,
        port=web.port,
        first=next(iter(stores)),
        backends=",".join(f"{name}:{kind}" for name, (kind, _) in stores.items()),
        sections="\n".join(f"[{name}]\n{lines}" for name, (_, lines) in stores.items()),
        default=default,
        more=more,
    )


def files(path, store):
    """The files of a store."""
    return sorted(file.name for file in (path / store).iterdir() if not file.is_dir())


def import_image(api, image, method, **options):
    """Asks for an import; returns the answer."""
    names = {"uri", "glance_region", "glance_image_id", "glance_service_interface"}
    fields = {"name": method} | {name: options.pop(name) for name in names & options.keys()}
    headers = options.pop("headers", {})
    return api.post(
        f"/v2/images/{image}/import", json={"method": fields} | options, headers=headers
    )


def stage(api, image, data, **headers):
    headers = {"Content-Type": "application/octet-stream"} | headers
    return api.put(f"/v2/images/{image}/stage", data=data, headers=headers)


def last_task(api, image):
    tasks = api.get(f"/v2/images/{image}/tasks").json()["tasks"]
    return tasks[-1]


def ended(api, image):
    """The image's last task, once it has ended; none before."""
    task = last_task(api, image)
    return task if task["status"] in ("success", "failure") else None


def data_of(api, image):
    answer = api.get(f"/v2/images/{image}/file")
    assert answer.status_code == 200, answer.text
    return answer.content


def member(service):
    """A member of another project of this service."""
    cloud = Account(service).sdk()
    names = [unique("project"), unique("user"), unique("password")]
    project = cloud.identity.create_project(name=names[0], domain_id="default")
    user = cloud.identity.create_user(name=names[1], password=names[2], domain_id="default")
    role = cloud.identity.find_role("member", ignore_missing=False)
    cloud.identity.assign_project_role_to_user(project, user, role)
    return Account(service, names[1], names[2], names[0]).api()


@pytest.fixture(scope="session")
def web():
    return Web()


@pytest.fixture(scope="session")
def importing_path(tmp_path_factory):
    return tmp_path_factory.mktemp("importing")


@pytest.fixture(scope="session")
def importing(importing_path, web):
    """A service that no test may stop, with stores `fast` and `slow`."""
    service = Service(importing_path / "state", config=configuration(importing_path, web))
    yield service
    assert service.stop() == 0, "".join(service.log)


@pytest.fixture(scope="session")
def importer(importing):
    return Account(importing)


@pytest.fixture(scope="session")
def importer_api(importer):
    return importer.api()
