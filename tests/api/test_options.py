"""docs/options.md says of every option whether it is honoured; the code says the same."""

import re
from pathlib import Path

import pytest

from service import Service

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\| (`.*?) \| (honoured|without effect) \|")
NAME = re.compile(r"`([a-z_0-9]+)`")
# How the sources read an option: on something that is a section of the configuration.
READ = re.compile(
    r"(?:\b(?:options|own|old|login|rabbit|notifications|conversion|injection|signature)"
    r"|section\(\S+?\)|_section\(\))"
    r'\s*\.(?:get|or|all|required)(?:::<[^(]*>)?\(\s*"([a-z_0-9]+)"'
)


def table():
    """Each option of the page: its section, its name, and whether it is honoured."""
    section = None
    for line in (ROOT / "docs/options.md").read_text().splitlines():
        if heading := re.match(r"## (?:\[(.+?)\])?", line):
            section = heading[1]
        elif row := ROW.match(line):
            for name in NAME.findall(row[1]):
                yield section, name, row[2] == "honoured"


def sources():
    for file in ROOT.glob("crates/*/src/**/*.rs"):
        text = file.read_text().split("#[cfg(test)]")[0]
        if "config::" in text or "Section" in text:
            yield file, text


def test_options_that_the_code_reads_are_listed_as_honoured():
    honoured = {name for _, name, is_honoured in table() if is_honoured}
    read = {name: file for file, text in sources() for name in READ.findall(text)}
    assert len(read) > 100
    missing = {name: str(file) for name, file in read.items() if name not in honoured}
    assert not missing


def texts():
    """The texts of tests, of Rust and of Python, with line breaks for what stands for them."""
    for file in ROOT.glob("crates/*/**/*.rs"):
        text = file.read_text()
        is_test = {"tests", "tests.rs", "testing"} & set(file.parts)
        yield (text if is_test else text.partition("#[cfg(test)]")[2]).replace("\\n", "\n")
    for file in ROOT.glob("tests/**/*.py"):
        yield file.read_text().replace("\\n", "\n")


def test_options_that_are_honoured_are_named_by_tests():
    """Beside their section, unless it is that of a store or of everything. Whether a test sees what
    comes of an option, only a reader can tell."""
    named = set()
    for text in texts():
        names = set(re.findall(r'([a-z_0-9]+)(?: ?=|")', text))
        sections = set(re.findall(r"\[(\w+)\]", text)) | {"everything"}
        named |= {(section, name) for section in sections for name in names}

    def room(section):
        own = section and section not in ("DEFAULT", "file") and "store" not in section
        return section if own else "everything"

    honoured = {(room(section), name) for section, name, is_honoured in table() if is_honoured}
    # As a guard against a page that is not read at all.
    assert len(honoured) > 250
    assert not honoured - named


@pytest.fixture
def warned(tmp_path):
    """What a service names that is given every option without effect."""
    sections = {}
    for section, name, is_honoured in table():
        if not is_honoured:
            sections.setdefault(section, []).append(f"{name} = 1")
    text = "".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())
    service = Service(tmp_path / "state", config=text)
    assert service.stop() == 0
    log = re.sub(r"\x1b\[[0-9;]*m", "", "".join(service.log))
    return set(re.findall(r"\[(\S+)\] (\w+)", log.split("options without effect here: ")[1]))


def test_options_without_effect_are_named_at_the_start(warned):
    listed = {(section, name) for section, name, is_honoured in table() if not is_honoured}
    # As a guard against a page that is not read at all.
    assert len(listed) > 200
    assert warned == listed
