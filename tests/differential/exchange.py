"""One request to one of the services, and its answer in a form that can be compared."""

import contextlib
import http.client
import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

JSON = "application/json"
PATCH = "application/openstack-images-v2.1-json-patch"
OLD_PATCH = "application/openstack-images-v2.0-json-patch"
BYTES = "application/octet-stream"


@dataclass
class Step:
    """A request. `{name}` in its path, headers and body stands for what an earlier step saved."""

    method: str
    path: str
    json: object = None
    body: object = None
    headers: dict = field(default_factory=dict)
    who: str | None = "member"
    saved: dict = field(default_factory=dict)
    until: tuple | None = None
    compared: bool = True

    def saves(self, **fields):
        """Names for fields of the answer: `saves(image="id")` lets later steps say `{image}`."""
        return Step(**{**self.__dict__, "saved": fields})

    def given(self):
        """The step only prepares others: it has to succeed, and its answer is not compared."""
        return Step(**{**self.__dict__, "compared": False})

    def as_(self, who):
        """The same by another caller; `None` calls without a token."""
        return Step(**{**self.__dict__, "who": who})

    def until_(self, field, value):
        """The same again and again until a field of the answer has this value; `None` is one that
        is not there."""
        return Step(**{**self.__dict__, "until": (field, value)})

    def __str__(self):
        return f"{self.method} {self.path}"


@dataclass
class Answer:
    status: int
    headers: dict
    body: object
    message: str | None


def send(side, step):
    """Sends a step to a side and remembers what the step saves."""
    connection = http.client.HTTPConnection(urlsplit(side.url).netloc, timeout=120)
    try:
        body, headers = content(side, step)
        path = fill(step.path, side.known)
        chunked = isinstance(body, list)
        connection.putrequest(step.method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, fill(value, side.known))
        # Whoever has answered already need not read on.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(iter(body) if chunked else body, encode_chunked=chunked)
        response = connection.getresponse()
        return response, response.read()
    except http.client.RemoteDisconnected:
        # uWSGI lets go of a client where Glance fails outside of what answers with 500.
        assert side.name == "Glance", f"{side.name} did not answer: {step}"
        return NoAnswer(), b""
    finally:
        connection.close()


class NoAnswer:
    """In the place of an answer that did not come."""

    status = 500

    def getheaders(self):
        return []


def content(side, step):
    """The body of a request, and its headers in the order in which they are sent."""
    headers, body = {"Accept": JSON}, step.body
    if step.who:
        headers["X-Auth-Token"] = side.tokens[step.who]
    if step.json is not None:
        body = fill(json.dumps(step.json), side.known).encode()
        headers["Content-Type"] = JSON
    headers |= step.headers
    if isinstance(body, list):
        headers["Transfer-Encoding"] = "chunked"
    elif body is not None and "Content-Length" not in headers:
        headers["Content-Length"] = str(len(body))
    return body, {name: value for name, value in headers.items() if value is not None}


def fill(text, known):
    for name, value in known.items():
        text = text.replace("{" + name + "}", value)
    return text


def remember(side, step, data):
    if step.saved:
        shown = json.loads(data)
        for name, path in step.saved.items():
            side.known[name] = value_at(path, shown)


def value_at(path, shown):
    """What is at a path as `images.0.id`."""
    for part in path.split("."):
        shown = shown[int(part) if part.isdigit() else part]
    return shown


# Headers that say nothing about the answer, and why.
IGNORED = {
    "date",
    "server",
    # The one closes connections behind uWSGI, the other keeps them.
    "connection",
    "transfer-encoding",
    "keep-alive",
}


def answer(side, response, data):
    """What is compared: everything, less what differs from run to run."""
    headers = {name.lower(): normal(side, value) for name, value in response.getheaders()}
    headers = {name: value for name, value in headers.items() if name not in IGNORED}
    kind = headers.get("content-type", "").split(";")[0]
    body, message = parsed(side, kind, data)
    if not isinstance(body, bytes):
        # It depends on the lengths of ids and URLs, and on spaces in JSON.
        headers.pop("content-length", None)
    return Answer(response.status, headers, body, message)


def parsed(side, kind, data):
    if kind == BYTES or not data:
        return data, None
    text = normal(side, data.decode(errors="replace"))
    if kind == JSON:
        shown = with_sorted_sets(json.loads(text))
        if isinstance(shown, dict) and set(shown) == {"message", "code", "title"}:
            message = shown.pop("message")
            return shown, message
        return shown, None
    # The page of an error: its message is compared apart.
    if found := re.search(r"</h1>\s*(.*?)<br /><br />", text, re.DOTALL):
        return text.replace(found[1], "{message}"), found[1]
    return text, None


def with_sorted_sets(shown):
    """Tags, and the values of an enumeration, are sets, which Glance shows in any order."""
    if isinstance(shown, dict):
        shown = {name: with_sorted_sets(value) for name, value in shown.items()}
        for name in ["tags", "enum"]:
            if isinstance(shown.get(name), list):
                shown[name] = sorted(shown[name], key=str)
    elif isinstance(shown, list):
        shown = [with_sorted_sets(value) for value in shown]
    return shown


UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def normal(side, text):
    """A text without ids, times, places and URLs of its own."""
    text = text.replace(side.known["identity"], "{identity}")
    text = text.replace(side.url, "{service}").replace(urlsplit(side.url).netloc, "{host}")
    text = text.replace(side.folder, "{folder}")
    for name, value in side.known.items():
        if isinstance(value, str) and len(value) > 8:
            text = text.replace(value, "{" + name + "}")
    text = re.sub(r"\b1\d{9}\.\d+\b", '"{time}"', text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?", "{time}", text)
    return re.sub(UUID, "{id}", text)
