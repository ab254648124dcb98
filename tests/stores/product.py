"""A tintype with several stores, all of whose answers are kept."""

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

    def close(self):
        """Ends it, and fails where it has told what is secret."""
        assert self.service.stop() == 0, "".join(self.service.log)
        told = [*self.answers, *self.service.log]
        assert self.answers
        leaks = [text for text in told if any(secret in text for secret in self.secrets)]
        assert not leaks, "\n".join(leaks)
