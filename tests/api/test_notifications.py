"""Notifications, as consumers of oslo.messaging's queues read them.

TEST_AMQP_URL names a RabbitMQ (tests/services/rabbitmq starts one); without it, what needs a broker
is skipped.
"""

import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.parse

import pika
import pytest

from importing import configuration, import_image
from listener import Listener
from service import TINTYPE, Account, unique

BROKER = os.environ.get("TEST_AMQP_URL")
needs_broker = pytest.mark.skipif(not BROKER, reason="TEST_AMQP_URL names no RabbitMQ")


def config(topic, url=BROKER, driver="messagingv2", more=""):
    return f"""
[DEFAULT]
transport_url = {url}
default_publisher_id = image.test
{more}
[oslo_messaging_notifications]
driver = {driver}
topics = {topic}
"""


class Reader:
    """Reads the queues of one topic."""

    def __init__(self, topic):
        self.topic = topic
        url = BROKER.replace("rabbit://", "amqp://", 1).rstrip("/") + "/%2F"
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.read = []

    def messages(self):
        """Everything that has come so far, as (queue, properties, body)."""
        for priority in ["info", "error"]:
            queue = f"{self.topic}.{priority}"
            channel = self.connection.channel()
            try:
                while (got := channel.basic_get(queue, auto_ack=True))[0]:
                    self.read.append((queue, got[1], json.loads(got[2])))
                channel.close()
            except pika.exceptions.ChannelClosedByBroker:
                pass  # Nothing of this priority was sent yet.
        return self.read

    def waiting(self):
        """How many messages wait in the queue of what is no error; 0 where it is not there yet."""
        try:
            channel = self.connection.channel()
            return channel.queue_declare(f"{self.topic}.info", passive=True).method.message_count
        except pika.exceptions.ChannelClosedByBroker:
            return 0

    def events(self):
        """The notifications in these messages."""
        return [json.loads(body["oslo.message"]) for _, _, body in self.messages()]

    def types(self):
        return [event["event_type"] for event in self.events()]


@pytest.fixture
def topic():
    return unique("topic")


@pytest.fixture
def reader(topic):
    reader = Reader(topic)
    yield reader
    for priority in ["info", "error"]:
        reader.connection.channel().queue_delete(f"{topic}.{priority}")
    reader.connection.close()


@needs_broker
def test_the_life_of_an_image_is_told_as_glance_tells_it(start, topic, reader, data, eventually):
    service = start(config=config(topic))
    api = Account(service).api()
    image = api.create(a="b", visibility="shared", tags=["x"])
    api.upload(image, data)
    api.change(image, [{"op": "replace", "path": "/name", "value": "new"}])
    api.get(f"/v2/images/{image}/file")
    api.get(f"/v2/images/{image}/file", headers={"Range": "bytes=0-9"})
    api.put(f"/v2/images/{image}/tags/t")
    api.delete(f"/v2/images/{image}/tags/t")
    api.post(f"/v2/images/{image}/members", json={"member": "m"})
    api.post(f"/v2/images/{image}/actions/deactivate")
    api.post(f"/v2/images/{image}/actions/reactivate")
    api.delete(f"/v2/images/{image}/members/m")
    api.delete(f"/v2/images/{image}")
    # Recorded from Glance 33 for the same requests.
    expected = [
        ("image.create", "queued"),
        ("image.update", "saving"),
        ("image.prepare", "saving"),
        ("image.upload", "active"),
        ("image.activate", "active"),
        ("image.update", "active"),
        ("image.update", "active"),
        ("image.send", None),
        ("image.send", None),
        ("image.update", "active"),
        ("image.update", "active"),
        ("image.member.create", "pending"),
        ("image.update", "deactivated"),
        ("image.update", "active"),
        ("image.member.delete", "pending"),
        ("image.delete", "deleted"),
    ]
    eventually(lambda: len(reader.messages()) >= len(expected))
    events = reader.events()
    assert [(e["event_type"], e["payload"].get("status")) for e in events] == expected

    created, prepared, uploaded, sent = (events[number]["payload"] for number in (0, 2, 3, 8))
    assert created["properties"] == {"a": "b"}
    assert (created["tags"], created["is_public"], created["deleted"]) == (["x"], False, False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created["created_at"])
    assert (prepared["backend"], prepared["os_glance_importing_to_stores"]) == ("file", [])
    assert (uploaded["size"], len(uploaded["checksum"])) == (len(data), 32)
    assert (sent["bytes_sent"], sent["image_id"]) == (10, image)
    assert sent["receiver_tenant_id"] == sent["owner_id"] == created["owner"]
    assert (events[-1]["payload"]["deleted"], events[-2]["payload"]["member_id"]) == (True, "m")
    assert "location" not in json.dumps(events) and "file://" not in json.dumps(events)


@needs_broker
def test_changes_of_locations_are_told(start, topic, reader, tmp_path, web, eventually):
    more = "show_multiple_locations = true"
    text = configuration(tmp_path, web, default=config(topic, more=more).replace("[DEFAULT]\n", ""))
    text = text.replace("slow:file", "slow:file, web:http") + "[web]\nhttps_insecure = false\n"
    api = Account(start(config=sections_sorted(text))).api()
    one, two = web.serve("/one", b"1234"), web.serve("/two", b"1234")
    image = api.create()
    value = lambda url, **metadata: {"url": url, "metadata": metadata}
    described = [value(one, a="b"), value(two)]
    for operation in [
        {"op": "add", "path": "/locations/-", "value": value(one)},
        {"op": "add", "path": "/locations/-", "value": value(two)},
        *[{"op": "replace", "path": "/locations", "value": described}] * 2,
        {"op": "remove", "path": "/locations/1"},
    ]:
        assert api.change(image, [operation]).status_code == 200, operation
    attached = api.create()
    assert api.post(f"/v2/images/{attached}/locations", json={"url": one}).status_code == 202
    eventually(lambda: api.status(attached) == "active")
    eventually(lambda: "task.run" in reader.types())
    events = reader.events()
    told = [(event["event_type"], event["payload"]["status"]) for event in events]
    assert told == [
        ("image.create", "queued"),
        *[("image.update", "active")] * 5,
        ("image.create", "queued"),
        ("task.create", "pending"),
        ("task.processing", "processing"),
        *[("image.update", "active")] * 2,
        ("task.success", "success"),
        ("task.run", "success"),
    ]
    assert [event["payload"]["id"] for event in events[:7]] == [image] * 6 + [attached]
    before, after = (events[number]["payload"] for number in (9, 10))
    assert before["checksum"] is None and len(after["checksum"]) == 32
    assert web.url("") not in json.dumps(events)


@needs_broker
def test_a_deletion_that_is_delayed_is_told_once(start, topic, reader, data, eventually):
    service = start(config=config(topic, more="delayed_delete = true"))
    api = Account(service).api()
    image = api.create()
    api.upload(image, data)
    assert api.delete(f"/v2/images/{image}").status_code == 204
    eventually(lambda: "image.delete" in reader.types())
    command = [TINTYPE, "scrub", *service.options]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert service.stored_files() == []
    # What comes after it shows that nothing else came.
    last = api.create()
    eventually(lambda: reader.events()[-1]["payload"]["id"] == last)
    (told,) = [e["payload"] for e in reader.events() if e["event_type"] == "image.delete"]
    assert (told["id"], told["status"], told["deleted"]) == (image, "pending_delete", True)
    assert told["deleted_at"] is not None


@needs_broker
def test_a_message_is_written_as_oslo_messaging_writes_it(start, topic, reader, eventually):
    api = Account(start(config=config(topic))).api()
    api.create()
    ((queue, properties, body),) = eventually(reader.messages)
    assert queue == f"{topic}.info"
    assert (properties.content_type, properties.content_encoding) == ("application/json", "utf-8")
    assert properties.delivery_mode == 2
    assert body["oslo.version"] == "2.0"
    event = json.loads(body["oslo.message"])
    assert set(event) == {
        "message_id",
        "publisher_id",
        "event_type",
        "priority",
        "payload",
        "timestamp",
        "_unique_id",
    }
    assert (event["publisher_id"], event["priority"]) == ("image.test", "INFO")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", event["timestamp"])


@needs_broker
def test_what_fails_goes_to_the_queue_of_errors(start, topic, reader, eventually):
    api = Account(start(config=config(topic))).api()
    image = api.create(disk_format="qcow2")
    assert api.upload(image, b"no qcow2").status_code == 415
    eventually(lambda: "image.upload" in reader.types())
    (error,) = [event for event in reader.events() if event["priority"] == "ERROR"]
    assert error["event_type"] == "image.upload"
    assert f"Failed to upload image data for image {image}" in error["payload"]


@needs_broker
def test_disabled_events_are_not_sent(start, topic, reader, eventually):
    more = "disabled_notifications = image.create, task"
    api = Account(start(config=config(topic, more=more))).api()
    image = api.create()
    api.delete(f"/v2/images/{image}")
    eventually(lambda: reader.types() == ["image.delete"])


@needs_broker
def test_the_older_format_has_no_envelope(start, topic, reader, eventually):
    api = Account(start(config=config(topic, driver="messaging"))).api()
    image = api.create()
    ((_, _, body),) = eventually(reader.messages)
    assert (body["event_type"], body["payload"]["id"]) == ("image.create", image)


@needs_broker
def test_what_others_have_declared_otherwise_serves_as_it_is(start, topic, reader, eventually):
    channel = reader.connection.channel()
    channel.exchange_declare(topic, "topic", durable=True)
    channel.queue_declare(f"{topic}.info", durable=True)
    api = Account(start(config=config(topic, more=f"control_exchange = {topic}"))).api()
    image = api.create()
    eventually(lambda: [e["payload"]["id"] for e in reader.events()] == [image])
    reader.connection.channel().exchange_delete(topic)


@needs_broker
@pytest.mark.parametrize(
    "option, declared",
    [
        ("amqp_durable_queues", {"durable": True}),
        ("amqp_auto_delete", {"auto_delete": True}),
        ("rabbit_quorum_queue", {"durable": True, "arguments": {"x-queue-type": "quorum"}}),
    ],
)
def test_queues_are_as_the_operator_says(start, topic, reader, eventually, option, declared):
    more = f"control_exchange = {topic}"
    text = config(topic, more=more) + f"[oslo_messaging_rabbit]\n{option} = true\n"
    api = Account(start(config=text)).api()
    api.create()
    # A queue of several brokers is not read before it is all there.
    eventually(lambda: reader.waiting() == 1)
    # The broker refuses to have a queue declared otherwise than it is.
    reader.connection.channel().queue_declare(f"{topic}.info", **declared)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="406|PRECONDITION"):
        reader.connection.channel().queue_declare(f"{topic}.info")
    reader.connection.channel().exchange_delete(topic)


class Cable:
    """A way to the broker that can be cut and mended."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.listener.close()
        self.open = []

    def mend(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def cut(self):
        # Wakes the thread that accepts, which a close alone would not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.open:
            end.close()

    def _accept(self, listener):
        broker = urllib.parse.urlsplit(BROKER)
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            far = socket.create_connection((broker.hostname, broker.port))
            self.open += [near, far]
            for ends in [(near, far), (far, near)]:
                threading.Thread(target=self._carry, args=ends, daemon=True).start()

    @staticmethod
    def _carry(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@needs_broker
def test_what_waits_for_the_broker_is_sent_when_it_comes_back(start, topic, reader, eventually):
    cable = Cable()
    url = f"rabbit://guest:guest@127.0.0.1:{cable.port}/"
    api = Account(start(config=config(topic, url))).api()
    first = api.create()
    cable.mend()
    ids = lambda: [event["payload"]["id"] for event in reader.events()]
    eventually(lambda: ids() == [first], limit=60)
    cable.cut()
    second = api.create()
    cable.mend()
    eventually(lambda: second in ids(), limit=60)


def test_a_broker_that_is_away_delays_nobody(start, topic, data):
    url = "rabbit://glance:secret-word@127.0.0.1:1/"
    service = start(config=config(topic, url))
    api = Account(service).api()
    image = api.create()
    assert api.upload(image, data).status_code == 204
    began = time.monotonic()
    for number in range(300):
        tags = [{"op": "add", "path": f"/p{number % 100}", "value": "x" * 100}]
        assert api.change(image, tags).status_code == 200
    assert time.monotonic() - began < 60
    assert api.get(f"/v2/images/{image}/file").content == data
    assert service.stop() == 0
    log = "".join(service.log)
    assert "the broker of notifications is away" in log
    assert "secret-word" not in log


def says_to_a_broker(start, topic, listener, rabbit):
    """A service that has something to tell to such a broker."""
    more = f"{config(topic, f'rabbit://u:p@127.0.0.1:{listener.port}/')}retry = 1\n"
    service = start(config=f"{more}[oslo_messaging_rabbit]\n{rabbit}\n")
    Account(service).api().create()
    return service


@pytest.mark.parametrize(
    "options, is_believed",
    [
        ("ssl = true\nssl_ca_file = {ca}", True),
        ("ssl = true\nssl_ca_file = {other}", False),
        ("ssl = true", False),
    ],
)
def test_a_broker_with_tls_is_believed_as_options_say(
    start, topic, authorities, eventually, options, is_believed
):
    ca, other, certificate = authorities
    listener = Listener(certificate)
    options = options.format(ca=ca.certificate, other=other.certificate)
    says_to_a_broker(start, topic, listener, options)
    eventually(lambda: listener.heard)
    assert listener.heard[0] == (b"AMQP\0\0\x09\x01" if is_believed else b"")


def test_a_message_is_sent_again_as_often_as_options_say(start, topic, eventually):
    listener = Listener()
    service = says_to_a_broker(start, topic, listener, "ssl = false")
    eventually(lambda: service.said("a notification can't be sent"))
    assert listener.heard == [b"AMQP\0\0\x09\x01"] * 2


def test_notifications_go_to_the_log_where_that_is_wanted(start, topic):
    service = start(config=config(topic, "rabbit://", driver="log"))
    api = Account(service).api()
    image = api.create()
    service.stop()
    (line,) = [line for line in service.log if '"event_type":"image.create"' in line]
    assert image in line


def test_without_a_driver_nothing_is_told(start):
    service = start()
    Account(service).api().create()
    service.stop()
    assert not any("image.create" in line for line in service.log)


@needs_broker
def test_an_import_and_its_task_are_told(start, topic, reader, tmp_path, web, data, eventually):
    text = configuration(tmp_path, web, default=config(topic).replace("[DEFAULT]\n", ""))
    api = Account(start(config=sections_sorted(text))).api()
    image = api.create()
    url = web.serve(f"/{image}", data)
    import_image(api, image, "web-download", uri=url, stores=["fast", "slow"])
    broken = api.create()
    eventually(lambda: api.status(image) == "active")
    import_image(api, broken, "web-download", uri=web.url("/nothing"))
    expected = [
        "image.create",
        "task.create",
        "task.processing",
        "image.update",
        "image.prepare",
        "image.prepare",
        "image.upload",
        "image.upload",
        "image.activate",
        "image.update",
        "task.success",
        "task.run",
    ]
    failed = ["task.create", "task.processing", "image.update", "task.failure"]
    everything = len(expected) + 1 + len(failed) + 1
    eventually(lambda: len(reader.messages()) >= everything)
    events = reader.events()
    of_image = [e for e in events if told_of(e, image, api)]
    told = {event["event_type"]: event["payload"] for event in events}
    infos = [e["event_type"] for e in events if e["priority"] == "INFO"]
    assert [e for e in infos if e != "image.create"][: len(expected) - 1] == expected[1:]
    assert [e for e in infos if e != "image.create"][len(expected) - 1 :] == failed
    backends = [e["payload"]["backend"] for e in of_image if e["event_type"] == "image.prepare"]
    assert backends == ["fast", "slow"]
    success = told["task.success"]
    assert (success["type"], success["status"]) == ("api_image_import", "success")
    assert (success["result"], success["message"], success["deleted"]) == (None, None, False)
    assert "input" not in success
    (error,) = [e for e in events if e["priority"] == "ERROR"]
    assert f"Failed to upload image data for image {broken}" in error["payload"]


def told_of(event, image, api):
    return isinstance(event["payload"], dict) and event["payload"].get("id") == image


def sections_sorted(text):
    """The options of `[DEFAULT]` first, the other sections after it."""
    sections, name = {}, "DEFAULT"
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line:
            sections.setdefault(name, []).append(line)
    return "\n".join("\n".join([f"[{name}]", *lines]) for name, lines in sections.items())


@needs_broker
def test_metadata_definitions_are_told(start, topic, reader, eventually):
    api = Account(start(config=config(topic))).api()
    path = "/v2/metadefs/namespaces"
    words = {"namespace": "n", "properties": {"p": {"type": "string", "title": "P"}}}
    assert api.post(path, json=words).status_code == 201
    api.put(f"{path}/n", json={"namespace": "m"})
    path += "/m"
    held = {"q": {"type": "integer", "title": "Q"}}
    api.post(f"{path}/objects", json={"name": "o", "properties": held})
    api.put(f"{path}/objects/o", json={"name": "o2"})
    api.delete(f"{path}/objects/o2")
    api.post(f"{path}/tags/t")
    api.put(f"{path}/tags/t", json={"name": "t2"})
    api.delete(f"{path}/tags/t2")
    api.post(f"{path}/resource_types", json={"name": "OS::Nova::Flavor", "prefix": "hw_"})
    api.delete(f"{path}/resource_types/OS::Nova::Flavor")
    api.put(f"{path}/properties/p", json={"name": "p2", "type": "string", "title": "P"})
    api.delete(f"{path}/properties")
    api.delete(path)
    expected = [
        ("namespace.create", "n", None),
        ("property.create", "n", "p"),
        ("namespace.update", "m", None),
        ("object.create", "m", "o"),
        ("object.update", "m", "o2"),
        ("object.delete", "m", "o2"),
        ("tag.create", "m", "t"),
        ("tag.update", "m", "t2"),
        ("tag.delete", "m", "t2"),
        ("resource_type.create", "m", "OS::Nova::Flavor"),
        ("resource_type.delete", "m", "OS::Nova::Flavor"),
        ("property.update", "m", "p2"),
        ("namespace.delete_properties", "m", None),
        ("namespace.delete", "m", None),
    ]
    eventually(lambda: len(reader.messages()) >= len(expected))
    events = reader.events()
    told = [(e["event_type"], e["payload"]["namespace"], e["payload"].get("name")) for e in events]
    assert told == [(f"metadef_{event}", *names) for event, *names in expected]
    payloads = [event["payload"] for event in events]
    assert payloads[2]["namespace_old"] == "n"
    assert payloads[3]["properties"][0]["name"] == "q"
    assert payloads[3]["properties"][0]["type"] == "integer"
    assert (payloads[4]["name_old"], payloads[11]["name_old"]) == ("o", "p")
    assert payloads[9]["prefix"] == "hw_"
    assert [p["deleted"] for p in payloads] == [e.endswith(".delete") for e, *_ in expected]
    assert payloads[1]["enum"] is None and payloads[1]["title"] == "P"
