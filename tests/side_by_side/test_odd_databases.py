"""Databases that are not as they should be: read-only, out of reach, newer, half-migrated, or with
rows that no Glance writes. What can be read is served, what can't be done is said."""

import os
import re
import socket
import sqlite3
import subprocess

import pytest
from service import DidNotStart

from side_by_side.operations import Subject, create, done, upload

# What is done to the rows of an image.
ODD_ROWS = [
    "UPDATE images SET size = NULL WHERE id = '{id}'",
    "UPDATE images SET status = 'asleep' WHERE id = '{id}'",
    "UPDATE images SET name = NULL, owner = NULL WHERE id = '{id}'",
    "UPDATE images SET size = -5 WHERE id = '{id}'",
    "UPDATE images SET updated_at = NULL WHERE id = '{id}'",
    "UPDATE image_locations SET meta_data = '{{broken' WHERE image_id = '{id}'",
    'UPDATE image_locations SET meta_data = \'{{"store": "nowhere"}}\' WHERE image_id = \'{id}\'',
    "UPDATE image_locations SET value = 'nothing://x' WHERE image_id = '{id}'",
    "UPDATE image_locations SET status = 'asleep' WHERE image_id = '{id}'",
    "UPDATE image_members SET status = 'undecided' WHERE image_id = '{id}'",
    "UPDATE image_properties SET value = NULL WHERE image_id = '{id}'",
]
OF_A_KIND = {
    "sqlite": ["UPDATE images SET created_at = 'soon' WHERE id = '{id}'"],
    "mariadb": ["UPDATE images SET created_at = '0000-00-00 00:00:00' WHERE id = '{id}'"],
    "postgresql": [
        "UPDATE images SET created_at = TIMESTAMP 'infinity' WHERE id = '{id}'",
        "UPDATE images SET updated_at = TIMESTAMP '-infinity' WHERE id = '{id}'",
    ],
}


def test_odd_rows_do_not_stop_lists(cloud):
    cloud.tintype_db("sync")
    side = cloud.tintype()
    good, images = Subject(0), []
    for number, sql in enumerate([*ODD_ROWS, *OF_A_KIND[cloud.database.kind]], start=1):
        images.append((Subject(number), sql))
    for image in [good, *(image for image, _ in images)]:
        create(side, image)
        upload(side, image)
        path = f"{image.path}/members"
        done(side.api().post(path, json={"member": cloud.known["two"]}), 200)
    cloud.database.run(*(sql.format(id=image.id) for image, sql in images))
    admin = side.api("admin")
    for query in ["limit=100", "sort=updated_at:asc", "sort=size:desc", "limit=3&sort=name"]:
        listed = done(admin.get(f"/v2/images?{query}"), 200).json()["images"]
        assert listed, query
    listed = {image["id"] for image in admin.get("/v2/images?limit=100").json()["images"]}
    assert good.id in listed
    for image, sql in images:
        shown = admin.get(image.path)
        assert (shown.status_code == 200) == (image.id in listed), sql
        assert shown.status_code in (200, 500), sql
        assert admin.get(f"{image.path}/members").status_code in (200, 500), sql
    assert side.api().get(f"{good.path}/file").content == good.data
    log = "".join(side.service.log)
    assert "panicked" not in log and "asleep" in log


@pytest.fixture
def filled(cloud):
    """A cloud with one image, whose services are stopped."""
    cloud.tintype_db("sync")
    side = cloud.tintype()
    image = Subject(1)
    create(side, image)
    upload(side, image)
    side.stop()
    return cloud, image


def test_a_read_only_database_is_read(filled):
    cloud, image = filled
    with read_only(cloud) as options:
        side = cloud.tintype(**options)
        api = side.api()
        assert api.show(image.id)["name"] == "image 1"
        assert len(api.get("/v2/images").json()["images"]) == 1
        assert api.get(f"{image.path}/file").content == image.data
        refused = [
            api.post("/v2/images", json={"name": "new"}),
            api.put(f"{image.path}/tags/new"),
            api.change(image.id, [{"op": "replace", "path": "/name", "value": "new"}]),
            api.delete(image.path),
        ]
        for answer in refused:
            assert answer.status_code == 503, answer.text
            assert "takes no changes now" in answer.text
        assert api.show(image.id)["name"] == "image 1"
        side.stop()


class read_only:
    """Nobody may write to the database meanwhile; the options with which tintype starts then."""

    def __init__(self, cloud):
        self.cloud, self.database = cloud, cloud.database

    def __enter__(self):
        return getattr(self, self.database.kind)()

    def sqlite(self):
        """On a file system that is mounted read-only."""
        apart = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
        folder = self.database.file.parent / "elsewhere"
        folder.mkdir()
        moved = folder / "glance.db"
        # A service leaves its log beside the file; the next who closes it takes that in.
        sqlite3.connect(self.database.file).execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        os.rename(self.database.file, moved)
        text = self.cloud.configuration.read_text()
        self.cloud.configuration.write_text(text.replace(str(self.database.file), str(moved)))
        mount = f'mount --bind "{folder}" "{folder}" && mount -o remount,bind,ro "{folder}"'
        if subprocess.run([*apart, mount], capture_output=True).returncode != 0:
            pytest.skip("needs user namespaces")
        return {"wrapper": [*apart, f'{mount} && exec "$@"', "sh"]}

    def mariadb(self):
        """The account of the tests may write all the same: an account of its own may not."""
        account, name = f"'{self.database.name}'@'%'", self.database.name
        self.database.on_server(
            f"CREATE USER {account} IDENTIFIED BY 'secret'",
            f"GRANT ALL ON {name}.* TO {account}",
            "SET GLOBAL read_only = 1",
        )
        text = self.cloud.configuration.read_text()
        text = re.sub(r"(connection = \S+//)[^@]+@", rf"\1{name}:secret@", text)
        self.cloud.configuration.write_text(text)
        return {}

    def postgresql(self):
        sql = f"ALTER DATABASE {self.database.name} SET default_transaction_read_only = on"
        self.database.on_server(sql)
        return {}

    def __exit__(self, *_):
        if self.database.kind == "mariadb":
            account = f"'{self.database.name}'@'%'"
            self.database.on_server("SET GLOBAL read_only = 0", f"DROP USER {account}")


@pytest.mark.parametrize("scheme", ["mysql+pymysql", "postgresql"])
def test_a_server_that_is_not_there_is_tried_again_as_often_as_is_said(clouds, scheme):
    cloud = clouds("sqlite")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"{scheme}://glance:hidden@127.0.0.1:{nobody.getsockname()[1]}/glance"
        text = cloud.configuration.read_text().replace(cloud.database.url, url)
        text = text.replace("[database]", "[database]\nmax_retries = 2\nretry_interval = 0")
        cloud.configuration.write_text(text)
        with pytest.raises(DidNotStart) as failed:
            cloud.tintype()
    said = str(failed.value)
    assert said.count("it is tried again") == 2
    assert "can't open the catalog" in said and "hidden" not in said


@pytest.mark.parametrize("revision", ["2099_1_contract01", "2024_1_expand01", "2023_1_contract01"])
def test_a_database_of_another_revision_is_left_untouched(cloud, revision):
    cloud.manage("db", "sync")
    cloud.database.run(f"UPDATE alembic_version SET version_num = '{revision}'")
    before = cloud.database.schema(), cloud.database.rows()
    with pytest.raises(DidNotStart, match=revision):
        cloud.tintype()
    assert revision in cloud.tintype_db("sync", status=1)
    code = {"2099": 1, "2024": 5, "2023": 3}[revision[:4]]
    assert ("newer" in cloud.tintype_db("check", status=code)) == (code == 1)
    assert (cloud.database.schema(), cloud.database.rows()) == before


def test_tables_without_a_revision_are_left_untouched(cloud):
    """A migration that broke off, or tables of somebody else."""
    cloud.manage("db", "sync")
    cloud.database.run("DELETE FROM alembic_version")
    with pytest.raises(DidNotStart, match="'none'"):
        cloud.tintype()
