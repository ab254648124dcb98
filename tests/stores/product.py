"""A tintype with several stores, all of whose answers are kept."""

import http.client
import socket
import urllib.parse

from importing import configuration
from service import Account, Service

SHOWN = "show_multiple_locations = true\nshow_image_direct_url = true"


class Product:
    """A running service with the stores of `places` and `more`, sections by their names, beside one
    of kind file, which is the default."""

    def __init__(self, places, web, folder, more=None):
        stores = {"file": ("file", f"filesystem_store_datadir = {folder}/images")}
        stores |= {name: (place.kind, place.section()) for name, place in places.items()}
        config = configuration(folder, web, stores | (more or {}), default=SHOWN)
        self.folder, self.web = folder, web
        self.secrets = [secret for place in places.values() for secret in place.secrets]
        self.answers = []
        self.service = Service(folder / "state", config=config, arguments=["--log", "debug"])
        self.api = Account(self.service).api()
        self.api.hooks["response"].append(self._keep)

    def _keep(self, answer, **_):
        is_text = "octet-stream" not in answer.headers.get("Content-Type", "")
        self.answers.append(f"{answer.headers} {answer.text if is_text else ''}")

    def image(self, data, store, **headers):
        """An active image."""
        image = self.api.create()
        answer = self.api.upload(image, data, **({"X-Image-Meta-Store": store} | headers))
        assert answer.status_code == 204, answer.text
        return image

    def data(self, image, **headers):
        """The bytes of an image, or a range of them."""
        answer = self.api.get(f"/v2/images/{image}/file", headers=headers)
        assert answer.status_code == (206 if "Range" in headers else 200), answer.text
        return answer.content

    def begun(self, image, store, data, length):
        """An upload of so many bytes, of which these have been sent."""
        return Begun(self, image, store, data, length)

    def close(self):
        """Ends it, and fails where it has told what is secret."""
        assert self.service.stop() == 0, "".join(self.service.log)
        told = [*self.answers, *self.service.log]
        assert self.answers
        leaks = [text for text in told if any(secret in text for secret in self.secrets)]
        assert not leaks, "\n".join(leaks)


class Begun:
    """An upload in its middle. Closed, it is one whose client has gone."""

    def __init__(self, product, image, store, data, length):
        address = urllib.parse.urlsplit(product.service.url)
        self.connection = socket.create_connection((address.hostname, address.port))
        head = [
            f"PUT /v2/images/{image}/file HTTP/1.1",
            f"X-Auth-Token: {product.api.headers['X-Auth-Token']}",
            "Host: x",
            "Content-Type: application/octet-stream",
            f"X-Image-Meta-Store: {store}",
            f"Content-Length: {length}",
        ]
        self.connection.sendall("\r\n".join([*head, "", ""]).encode() + data)

    def send(self, data):
        try:
            self.connection.sendall(data)
        except ConnectionError:
            # It was answered before all had come.
            pass

    def end(self):
        """The status of the answer, once that has come."""
        answer = http.client.HTTPResponse(self.connection)
        answer.begin()
        self.close()
        return answer.status

    def close(self):
        self.connection.close()
