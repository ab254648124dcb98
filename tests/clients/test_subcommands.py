"""Every subcommand that the installed clients have is run by a test of this folder.

What the clients can do is asked of the clients; what the tests run is read from their text.
"""

import ast
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# Areas with a file of their own; its subcommands are judged where the file is there.
AREAS = {
    "test_metadefs.py": r"md-.*|image metadef .*",
    "test_cache.py": r"cache-.*|cached image .*",
    "test_import.py": r"image-create-via-import|image-import|image-stage|image-tasks|import-info"
    r"|task-.*|image import.*|image stage|image task .*",
    "test_stores.py": r"stores-.*|(add-)?location.*|image stores .*",
    "test_usage.py": r"usage",
}


def subcommands_of_glance():
    said = subprocess.run(["glance", "help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^    ([a-z][a-z-]+)", said, re.MULTILINE)


def subcommands_of_openstack():
    return [
        entry.name.replace("_", " ") for entry in metadata.entry_points(group="openstack.image.v2")
    ]


SUBCOMMANDS = [f"glance {name}" for name in subcommands_of_glance()]
SUBCOMMANDS += [f"openstack {name}" for name in subcommands_of_openstack()]


def exercised():
    """The words of every call in the tests, as far as they are written there."""
    said = set()
    for path in HERE.glob("test_*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call):
                said.add(" ".join(leading_words(call)))
    return said


def leading_words(call):
    words = []
    for argument in call.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            break
        words.append(argument.value)
    client = call.func.id if isinstance(call.func, ast.Name) else ""
    return [client, *words] if client in ("glance", "openstack") else words


EXERCISED = exercised()


def test_the_clients_name_their_subcommands():
    assert "glance image-create" in SUBCOMMANDS
    assert "openstack image create" in SUBCOMMANDS


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_every_subcommand_is_exercised(subcommand):
    if any(said == subcommand or said.startswith(subcommand + " ") for said in EXERCISED):
        return
    name = subcommand.split(" ", 1)[1]
    for file, pattern in AREAS.items():
        if re.fullmatch(pattern, name) and not (HERE / file).exists():
            pytest.skip(f"{file} is not there")
    pytest.fail(f"no test runs `{subcommand}`")
