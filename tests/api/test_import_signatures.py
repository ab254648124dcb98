"""Signed images that come by an import: only the bytes that were signed become an image."""

import zlib

import pytest

from importing import configuration, data_of, ended, files, import_image, stage
from service import Account
from signer import Signer


@pytest.fixture
def signed(start, tmp_path, web):
    """A service with two stores and a certificate, and who signs with it."""
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    signer = Signer()
    (certificates / f"{signer.id}.pem").write_bytes(signer.pem)

    def signed(default="", more=""):
        more = f"[image_signature]\ncertificate_dir = {certificates}\n{more}"
        service = start(config=configuration(tmp_path, web, default=default, more=more))
        return Account(service).api(), signer

    return signed


def bring(api, web, method, image, data):
    """Imports bytes by one of the methods."""
    if method == "glance-direct":
        assert stage(api, image, data).status_code == 204
        return import_image(api, image, method, stores=["fast", "slow"])
    if method == "glance-download":
        source = api.create(visibility="private")
        assert api.upload(source, data).status_code == 204
        remote = {"glance_region": "RegionOne", "glance_image_id": source}
        return import_image(api, image, method, stores=["slow"], **remote)
    url = web.serve(f"/{image}", data)
    return import_image(api, image, method, uri=url, stores=["fast", "slow"])


@pytest.mark.parametrize("method", ["glance-direct", "web-download", "glance-download"])
def test_only_the_bytes_that_were_signed_are_imported(
    signed, tmp_path, web, data, eventually, method
):
    api, signer = signed()
    image = api.create(**signer.properties(data))
    wrong = data[:-1] + bytes([data[-1] ^ 1])
    assert bring(api, web, method, image, wrong).status_code == 202
    task = eventually(lambda: ended(api, image))
    assert task["status"] == "failure"
    assert "Signature verification failed" in task["message"]
    shown = api.show(image)
    assert (shown["status"], shown["size"], shown["checksum"]) == ("queued", None, None)
    assert not any(image in files(tmp_path, name) for name in ("fast", "slow", "staging"))
    assert bring(api, web, method, image, data).status_code == 202
    eventually(lambda: api.status(image) == "active")
    assert data_of(api, image) == data
    assert image in files(tmp_path, "slow")


def test_a_copy_of_other_bytes_than_were_signed_is_refused(signed, tmp_path, data, eventually):
    api, signer = signed()
    image = api.create(**signer.properties(data))
    assert api.upload(image, data).status_code == 204
    other = Signer()
    changed = other.properties(data) | {"img_signature_certificate_uuid": signer.id}
    forged = [{"op": "replace", "path": f"/{name}", "value": changed[name]} for name in changed]
    assert api.change(image, forged).status_code == 200
    assert import_image(api, image, "copy-image", stores=["slow"]).status_code == 202
    task = eventually(lambda: ended(api, image))
    assert task["status"] == "failure"
    assert "Signature verification failed" in task["message"]
    shown = api.show(image)
    assert (shown["status"], shown["stores"]) == ("active", "fast")
    assert files(tmp_path, "slow") == [] and data_of(api, image) == data

    signed_again = signer.properties(data)
    mended = [{"op": "replace", "path": f"/{n}", "value": v} for n, v in signed_again.items()]
    assert api.change(image, mended).status_code == 200
    assert import_image(api, image, "copy-image", stores=["slow"]).status_code == 202
    eventually(lambda: api.show(image)["stores"] == "fast,slow")
    assert files(tmp_path, "slow") == [image]


def test_what_is_stored_is_what_has_to_be_signed(signed, web, data, eventually):
    """Plugins run before: a signature of what they were given is none of what they made."""
    api, signer = signed(more="[image_import_opts]\nimage_import_plugins = [image_decompression]")
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(data) + packer.flush()
    of_packed = api.create(**signer.properties(packed))
    bring(api, web, "web-download", of_packed, packed)
    assert "Signature" in eventually(lambda: ended(api, of_packed))["message"]
    of_plain = api.create(**signer.properties(data))
    bring(api, web, "web-download", of_plain, packed)
    eventually(lambda: api.status(of_plain) == "active")
    assert data_of(api, of_plain) == data


def test_a_certificate_that_is_not_there_fails_the_task(signed, web, data, eventually):
    api, _ = signed()
    stranger = Signer()
    image = api.create(**stranger.properties(data))
    bring(api, web, "web-download", image, data)
    task = eventually(lambda: ended(api, image))
    assert f"Certificate not found with ID: {stranger.id}" in task["message"]
    assert api.status(image) == "queued"


def test_a_task_of_the_older_api_verifies_too(signed, tmp_path, web, data, eventually):
    api, signer = signed()

    def run(served):
        url = web.serve("/older", served)
        properties = signer.properties(data) | {"name": "older"}
        source = {"import_from": url, "import_from_format": "raw", "image_properties": properties}
        task = api.post("/v2/tasks", json={"type": "import", "input": source}).json()["id"]

        def over():
            shown = api.get(f"/v2/tasks/{task}").json()
            return shown if shown["status"] in ("success", "failure") else None

        return eventually(over)

    failed = run(b"other" + data)
    assert failed["status"] == "failure" and "Signature" in failed["message"]
    assert files(tmp_path, "fast") == []
    done = run(data)
    assert done["status"] == "success", done["message"]
    assert data_of(api, done["result"]["image_id"]) == data
