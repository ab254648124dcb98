"""A service with an image cache."""

from service import Account

CONFIG = """
[DEFAULT]
image_cache_dir = {cache}
image_cache_driver = {driver}
image_cache_max_size = {max_size}
worker_self_reference_url = http://node-1.example:9292
{more}
[paste_deploy]
flavor = {flavor}
"""


DEFAULTS = {
    "driver": "centralized_db",
    "max_size": 1 << 30,
    "more": "",
    "flavor": "keystone+cachemanagement",
}


class Cached:
    """A service with a cache, and its directory."""

    def __init__(self, start, tmp_path, **options):
        self.folder = tmp_path / "cache"
        self.start = start
        self.config = CONFIG.format(cache=self.folder, **(DEFAULTS | options))
        self.restart()

    def restart(self):
        self.service = self.start(config=self.config, arguments=["--identity", "built-in"])
        self.admin = Account(self.service)
        self.api = self.admin.api()

    def image(self, data, **fields):
        image = self.api.create(**fields)
        assert self.api.upload(image, data).status_code == 204
        return image

    def download(self, image, **headers):
        return self.api.get(f"/v2/images/{image}/file", headers=headers)

    def lose_store(self, image):
        """The store's own copy goes: from now on only the cache has the bytes."""
        (self.service.state / "images" / image).unlink()

    def cached(self):
        answer = self.api.get("/v2/cache")
        assert answer.status_code == 200
        return {image["image_id"]: image for image in answer.json()["cached_images"]}

    def queued(self):
        return self.api.get("/v2/cache").json()["queued_images"]

    def files(self):
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        names = (str(path.relative_to(self.folder)) for path in paths)
        return sorted(name for name in names if ".db" not in name)
