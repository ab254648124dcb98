"""What an operator says of formats (`[image_format]`) and of custom properties
(`schema-image.json`)."""

import html
import json

import pytest

from service import Account, DidNotStart, unique


@pytest.fixture
def api(start, tmp_path):
    def api(config="", schema=None):
        if schema is not None:
            (tmp_path / "schema-image.json").write_text(json.dumps(schema))
        return Account(start(state=tmp_path / unique("state"), config=config)).api()

    return api


def enumerated(api, name):
    schema = api.get("/v2/schemas/image").json()
    assert api.get("/v2/schemas/images").json()["properties"]["images"]["items"] == schema
    return schema["properties"][name]["enum"]


def test_only_listed_formats_are_taken(api):
    api = api("[image_format]\ndisk_formats = raw,luks\ncontainer_formats = bare\n")
    assert enumerated(api, "disk_format") == [None, "raw", "luks"]
    assert enumerated(api, "container_format") == [None, "bare"]
    image = api.create(disk_format="luks")
    for refused in [
        api.post("/v2/images", json={"disk_format": "qcow2"}),
        api.post("/v2/images", json={"container_format": "ova"}),
        api.change(image, [{"op": "replace", "path": "/disk_format", "value": "qcow2"}]),
    ]:
        assert refused.status_code == 400
        assert "is not one of [None, " in html.unescape(refused.text)


def test_gpt_and_luks_are_for_those_who_list_them(api):
    api = api()
    assert {"gpt", "luks"}.isdisjoint(enumerated(api, "disk_format"))
    assert api.post("/v2/images", json={"disk_format": "luks"}).status_code == 400


def test_an_unknown_format_keeps_the_service_from_starting(api):
    with pytest.raises(DidNotStart, match="floppy"):
        api("[image_format]\ndisk_formats = raw,floppy\n")


def test_content_need_not_match_where_the_operator_says_so(api):
    strict, lenient = api(), api("[image_format]\nrequire_image_format_match = false\n")
    for declared, data in [("qcow2", b"x" * 100_000), ("vmdk", b"x" * 10)]:
        assert strict.upload(strict.create(disk_format=declared), data).status_code == 415
        image = lenient.create(disk_format=declared)
        assert lenient.upload(image, data).status_code == 204
        assert lenient.show(image)["virtual_size"] is None


def partitioned(*types):
    """A disk whose first sector has partitions of these types."""
    entries = [bytes([0x80, 0, 2, 0, kind, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0]) for kind in types]
    table = b"".join(entries).ljust(64, b"\0")
    return bytes(446) + table + b"\x55\xaa" + bytes(100_000)


def test_a_partition_table_is_sound_unless_the_operator_forgives_it(api):
    listed = "[image_format]\ndisk_formats = raw,gpt\n"
    strict, lenient = api(listed), api(f"{listed}gpt_safety_checks_nonfatal = mbr\n")
    unsound = [partitioned(), partitioned(0xEE, 0x83)]
    sound = [partitioned(0xEE), partitioned(0x83)]
    for declared in ["raw", "gpt"]:
        for disk in unsound:
            image = strict.create(disk_format=declared)
            refused = strict.upload(image, disk)
            assert refused.status_code == 415 and "its partition table has" in refused.text
            assert strict.status(image) == "queued"
        for api, disks in [(strict, sound), (lenient, sound + unsound)]:
            for disk in disks:
                image = api.create(disk_format=declared)
                assert api.upload(image, disk).status_code == 204
                assert api.show(image)["virtual_size"] == len(disk)


def test_custom_properties_are_described_and_held_to(api):
    schema = {
        "os_distro": {"type": "string", "description": "Name", "enum": ["debian", "fedora"]},
        "serial": {"type": "string", "pattern": "^[0-9]+$", "maxLength": 4},
    }
    api = api(config="", schema=schema)
    described = api.get("/v2/schemas/image").json()["properties"]
    assert described["os_distro"] == schema["os_distro"] | {"is_base": False}
    image = api.create(os_distro="debian", serial="12", other="x")
    for name, value in [("os_distro", "plan9"), ("serial", "1x"), ("serial", "12345")]:
        assert api.post("/v2/images", json={name: value}).status_code == 400
        change = {"op": "add", "path": f"/{name}", "value": value}
        assert api.change(image, [change]).status_code == 400
    change = {"op": "add", "path": "/os_distro", "value": "fedora"}
    assert api.change(image, [change]).status_code == 200


def test_required_properties_are_asked_of_new_images(api):
    schema = {"properties": {"os_distro": {"type": "string"}}, "required": ["os_distro"]}
    api = api(config="", schema=schema)
    assert api.get("/v2/schemas/image").json()["required"] == ["os_distro"]
    refused = api.post("/v2/images", json={})
    assert refused.status_code == 400
    assert "'os_distro' is a required property" in html.unescape(refused.text)
    image = api.create(os_distro="debian")
    change = {"op": "replace", "path": "/name", "value": "n"}
    assert api.change(image, [change]).status_code == 200


def test_a_schema_against_glances_own_keeps_the_service_from_starting(api):
    with pytest.raises(DidNotStart, match="min_ram"):
        api(config="", schema={"min_ram": {"type": "string"}})
