"""A service with several stores, and a web server whose files it may read."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from service import Account, unique

CONFIG = """
[DEFAULT]
enabled_backends = fast:file,slow:file,web:http
show_multiple_locations = true
show_image_direct_url = true
[glance_store]
default_backend = fast
[fast]
filesystem_store_datadir = {root}/fast
store_description = NVMe
weight = 10
[slow]
filesystem_store_datadir = {root}/slow
[web]
weight = 20
[os_glance_staging_store]
filesystem_store_datadir = {root}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {root}/tasks
[import_filtering_opts]
allowed_hosts = [127.0.0.1]
allowed_ports = [80, 443, {port}]
"""


class Files(ThreadingHTTPServer):
    """A web server. `content` is by path; bytes of `None` break off before the first one comes."""

    daemon_threads = True

    def __init__(self, certificate=None):
        """`certificate` is a file of a certificate and its key, for HTTPS."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = {}
        self.asked = []
        self.url = f"http://127.0.0.1:{self.port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def add(self, content):
        """Serves these bytes, and returns their URL."""
        path = f"/{unique('file')}"
        self.content[path] = content
        return self.url + path

    def path(self, url):
        return url.removeprefix(self.url)

    def remove(self, url):
        del self.content[self.path(url)]

    def break_off(self, url):
        self.content[self.path(url)] = None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        self.server.asked.append((self.command, self.path))
        content = self.server.content.get(self.path, b"")
        if content is None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.close_connection = True
            return
        self.send_response(200 if self.path in self.server.content else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


class SeveralStores:
    """A service with the stores fast (the default), slow and web, in the order of their weights
    web, fast, slow."""

    def __init__(self, start, root, files=None, **options):
        """`options` are further lines of sections."""
        self.root = root
        self.files = files or Files()
        self._start = start
        config = CONFIG
        for section, lines in options.items():
            config = config.replace(f"[{section}]\n", f"[{section}]\n{lines}\n")
        self.start_with(config)

    def start_with(self, config):
        """Starts it, with such a configuration from now on."""
        self.config = config.format(root=self.root, port=self.files.port)
        self.restart()

    def restart(self):
        self.service = self._start(self.root / "state", config=self.config)
        self.admin = Account(self.service)
        self.api = self.admin.api()

    def close(self):
        self.files.shutdown()

    def stored(self, store):
        return sorted(path.name for path in (self.root / store).iterdir())

    def member(self):
        """A session of somebody who may write in the administrator's project, and no more."""
        cloud = self.admin.sdk()
        user, password = unique("user"), unique("password")
        created = cloud.identity.create_user(name=user, password=password, domain_id="default")
        project = cloud.identity.find_project(self.admin.auth["project_name"])
        role = cloud.identity.find_role("member", ignore_missing=False)
        cloud.identity.assign_project_role_to_user(project, created, role)
        return Account(self.service, user, password).api()

    def image(self, data, store=None):
        """An active image."""
        image = self.api.create()
        headers = {"X-Image-Meta-Store": store} if store else {}
        answer = self.api.upload(image, data, **headers)
        assert answer.status_code == 204, answer.text
        return image

    def link(self, image, url, **fields):
        """Adds a location by a patch."""
        value = {"url": url, "metadata": {}} | fields
        return self.api.change(image, [{"op": "add", "path": "/locations/-", "value": value}])
