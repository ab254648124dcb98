"""`tintype db`: the database's schema and what is purged from it."""

import sqlite3
import subprocess

import pytest

from service import TINTYPE, Account

REVISION = "2024_1_contract01"


@pytest.fixture
def db(tmp_path):
    state = tmp_path / "state"

    def db(*arguments, status=0):
        command = [TINTYPE, "db", *arguments, "--state-dir", state]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    db.state = state
    return db


def stamp(db, *revisions):
    with sqlite3.connect(db.state / "glance.db") as catalog:
        catalog.execute("DELETE FROM alembic_version")
        for revision in revisions:
            catalog.execute("INSERT INTO alembic_version VALUES (?)", [revision])


def test_a_database_is_made_once(db):
    assert "no tables" in db("version")
    assert "db sync" in db("check", status=3)
    assert "synced successfully" in db("sync")
    assert db("version").strip() == REVISION
    assert "up to date" in db("check")
    assert "No migrations needed" in db("sync")


def test_indexes_for_large_catalogs_are_added_once(db):
    said = db("sync", "--extra-indexes")
    assert "synced successfully" in said
    assert "Added tintype_images_name to images: images of a name" in said
    again = db("sync", "--extra-indexes")
    assert "No migrations needed" in again
    assert "there already" in again
    assert db("version").strip() == REVISION


def test_an_older_database_is_left_alone(db):
    db("sync")
    stamp(db, "2023_1_contract01")
    assert "db expand" in db("check", status=3)
    assert "glance-manage" in db("sync", status=1)
    stamp(db, "2023_1_contract01", "2024_1_expand01")
    assert "db contract" in db("check", status=5)
    assert "2024_1_expand01" in db("version")


def test_a_database_is_found_by_its_configuration(db, tmp_path):
    config = tmp_path / "glance-api.conf"
    config.write_text(f"[database]\nconnection = sqlite:///{tmp_path}/elsewhere.db\n")
    db("sync", "--config-file", config)
    assert (tmp_path / "elsewhere.db").exists()
    assert db("version", "--config-file", config).strip() == REVISION
    assert "no tables" in db("version")


@pytest.mark.parametrize(
    "options",
    [
        ["--age-in-days", "-1"],
        ["--age-in-days", "99999999"],
        ["--max-rows", "-2"],
        ["--max-rows", "2147483648"],
    ],
)
def test_an_age_or_limit_that_makes_no_sense_is_refused(db, options):
    db("sync")
    db("purge", *options, status=1)


def test_a_purge_needs_a_database(db):
    assert "no database" in db("purge", status=1)


def test_deleted_images_are_purged_in_two_steps(db, start):
    service = start(state=db.state)
    api = Account(service).api()
    image = api.create(color="red", tags=["a"])
    kept = api.create(color="blue")
    assert api.delete(f"/v2/images/{image}").status_code == 204
    assert "images: 0 rows" in db("purge-images-table")
    assert "db purge" in db("purge-images-table", "--age-in-days", "0", status=1)
    purged = db("purge", "--age_in_days", "0", "--max_rows", "-1")
    assert "image_properties: 1 rows" in purged and "image_tags: 1 rows" in purged
    assert "images: 1 rows" in db("purge-images-table", "--age-in-days", "0")
    assert api.show(kept)["color"] == "blue"
    assert api.post("/v2/images", json={"id": image}).status_code == 201
