"""Commands beside a service whose registry holds the catalog."""

import json
import subprocess

import pytest

from service import TINTYPE, Account

NAMESPACE = {"namespace": "OS::Test", "display_name": "Test", "objects": [], "properties": {}}


@pytest.fixture
def edge(registry, served_by):
    """A service, and how a command is run on its node."""
    there = registry()
    edge = served_by(there)
    options = ["--config-file", there.for_services, "--state-dir", edge.state]

    def run(*command, status=0):
        done = subprocess.run(
            [TINTYPE, *command, *options], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    edge.run, edge.there = run, there
    return edge


def test_images_live_as_with_any_service(edge, file, data, tmp_path):
    account = Account(edge)
    image = lambda *arguments, **options: account.run(TINTYPE, "image", *arguments, **options)
    pushed = json.loads(image("push", file, "--name", "far", "--json"))
    assert pushed["status"] == "active"
    image("set", "far", "--property", "os_distro=debian", "--tag", "lts")
    assert json.loads(image("show", "far", "--json"))["tags"] == ["lts"]
    image("pull", "far", "--output", tmp_path / "pulled")
    assert (tmp_path / "pulled").read_bytes() == data
    image("delete", "far")
    image("show", "far", status=1)


def test_definitions_are_loaded_written_and_removed(edge, tmp_path):
    written = tmp_path / "definitions"
    (tmp_path / "test.json").write_text(json.dumps(NAMESPACE))
    assert "loaded" in edge.run("db", "load-metadefs", tmp_path / "test.json")
    api = Account(edge).api()
    assert api.get("/v2/metadefs/namespaces/OS::Test").status_code == 200
    edge.run("db", "export-metadefs", written)
    assert json.loads((written / "Test.json").read_text())["namespace"] == "OS::Test"
    edge.run("db", "unload-metadefs")
    assert api.get("/v2/metadefs/namespaces/OS::Test").status_code == 404


def test_deleted_images_are_scrubbed(edge):
    assert "0" in edge.run("scrub")


@pytest.mark.parametrize("command", [["sync"], ["check"], ["version"], ["purge"]])
def test_what_needs_the_database_says_where_it_is(edge, command):
    said = edge.run("db", *command, status=1)
    assert f"the registry {edge.there.url} holds the catalog" in said
    assert not (edge.state / "glance.db").exists()


def test_a_registry_that_is_away_is_named(edge):
    edge.there.kill()
    # A command waits as a start does; what it waits for is said.
    command = [TINTYPE, "scrub", "--config-file", edge.there.for_services]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as waiting:
        assert f"no connection to the registry {edge.there.url}" in waiting.stderr.readline()
        waiting.kill()
