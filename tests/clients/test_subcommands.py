"""Every subcommand that the installed clients have is run by a test of this folder.

What the clients can do is asked of the clients; what the tests run is read from their text.
"""

import ast
import re
import subprocess
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

import pytest

HERE = Path(__file__).parent


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
        module = ast.parse(path.read_text())
        fixtures = shorthands(module.body)
        for part in module.body:
            known = fixtures | shorthands(getattr(part, "body", []))
            calls = (node for node in ast.walk(part) if isinstance(node, ast.Call))
            said.update(" ".join(words_of(call, known)) for call in calls)
    return said


def shorthands(body):
    """What short names stand for: `run = lambda *words: admin.run("glance", *words)`, or a fixture
    that returns such a lambda."""
    found = {}
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(name)], value=ast.Lambda(body=ast.Call() as call)):
                found[name] = words_of(call)
            case ast.FunctionDef(
                name=name, body=[*_, ast.Return(ast.Lambda(body=ast.Call() as call))]
            ):
                found[name] = words_of(call)
    return found


def words_of(call, known=MappingProxyType({})):
    """The words that a call begins with; its name counts for those that it stands for."""
    words = list(known.get(call.func.id, [])) if isinstance(call.func, ast.Name) else []
    for argument in call.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            break
        words.append(argument.value)
    return words


EXERCISED = exercised()


def test_the_clients_name_their_subcommands():
    assert "glance image-create" in SUBCOMMANDS
    assert "openstack image create" in SUBCOMMANDS


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_every_subcommand_is_exercised(subcommand):
    assert any(said == subcommand or said.startswith(subcommand + " ") for said in EXERCISED)
