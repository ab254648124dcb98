"""Signed images: only the bytes that were signed become an image."""

import base64
import http.server
import json
import os
import ssl
import subprocess
import threading
import uuid

import pytest
import requests

from service import TINTYPE, Account
from signer import KEYS, Signer


@pytest.fixture
def certificates(tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    return folder


@pytest.fixture
def signing(start, certificates):
    """Starts a service that finds certificates in a directory."""

    def signing(more=""):
        config = f"[image_signature]\ncertificate_dir = {certificates}\n{more}\n"
        service = start(config=config)
        return service, Account(service).api()

    return signing


def keep(certificates, *signers):
    for signer in signers:
        (certificates / f"{signer.id}.pem").write_bytes(signer.pem)


@pytest.mark.parametrize("kind", KEYS)
def test_bytes_that_were_signed_become_an_image_and_others_do_not(
    signing, certificates, data, kind
):
    service, api = signing()
    signer = Signer(kind)
    keep(certificates, signer)
    image = api.create(**signer.properties(data))
    refused = api.upload(image, data[:-1] + bytes([data[-1] ^ 1]))
    assert refused.status_code == 400
    expected = f"Signature verification failed for image {image}: Signature verification failed"
    assert expected in refused.json()["message"]
    assert (api.status(image), service.stored_files()) == ("queued", [])
    assert api.upload(image, data).status_code == 204
    assert api.status(image) == "active"
    assert api.get(f"/v2/images/{image}/file").content == data


def test_what_can_not_be_checked_is_refused_before_it_is_read(signing, certificates, data):
    service, api = signing()
    signer, other = Signer(), Signer("ECC_SECP384R1")
    keep(certificates, signer, other)
    (certificates / f"{uuid.UUID(int=1)}").write_text("no certificate")
    cases = [
        ({"img_signature": "c2lnb"}, "not properly encoded using base64"),
        ({"img_signature_hash_method": "MD5"}, "Invalid signature hash method: MD5"),
        ({"img_signature_key_type": "RSA"}, "Invalid signature key type: RSA"),
        ({"img_signature_certificate_uuid": other.id}, "Invalid public key type"),
        ({"img_signature_certificate_uuid": str(uuid.UUID(int=1))}, "Invalid certificate format"),
        ({"img_signature_certificate_uuid": str(uuid.uuid4())}, "Certificate not found with ID"),
        ({"img_signature_certificate_uuid": "../" + signer.id}, "Certificate not found with ID"),
    ]
    for changes, message in cases:
        image = api.create(**signer.properties(data, **changes))
        refused = api.upload(image, data)
        assert (refused.status_code, message in refused.text) == (400, True), refused.text
        assert api.status(image) == "queued"
    assert service.stored_files() == []


def test_an_image_that_lacks_one_of_the_properties_is_not_signed(signing, data):
    _, api = signing()
    properties = Signer().properties(data)
    del properties["img_signature_key_type"]
    assert api.upload(api.create(**properties), b"anything").status_code == 204


@pytest.mark.parametrize(
    "dates, of_old", [("", 400), ("enforce_valid_dates = false", 204)]
)
def test_a_certificate_has_to_lead_to_a_trusted_one(signing, certificates, data, dates, of_old):
    root = Signer("ECC_SECP384R1", is_ca=True)
    good, old, alien = Signer(issuer=root), Signer(issuer=root, days=-1), Signer()
    keep(certificates, root, good, old, alien)
    _, api = signing(f"trusted_certificate_ids = {root.id}, {uuid.uuid4()}\n{dates}")
    for signer, status in [(good, 204), (old, of_old), (alien, 400)]:
        answer = api.upload(api.create(**signer.properties(data)), data)
        assert answer.status_code == status, answer.text
        assert status == 204 or "Certificate validation failed" in answer.text


class Barbican(http.server.BaseHTTPRequestHandler):
    """The answers of Barbican's Secrets API to who has a token."""

    def do_GET(self):
        if self.path == "/identity/v3/auth/catalog":
            return self.answer(200, json.dumps({"catalog": self.server.catalog}).encode())
        *_, secret, last = self.path.split("/")
        secret, payload = (secret, True) if last == "payload" else (last, False)
        if self.refused(secret):
            return
        if payload:
            fits = self.headers["Accept"] == "application/octet-stream"
            self.answer(200 if fits else 406, self.server.secrets[secret] if fits else b"")
        else:
            about = {
                "secret_type": "certificate",
                "content_types": {"default": "application/octet-stream"},
            }
            self.answer(200, json.dumps(about).encode())

    def do_DELETE(self):
        secret = self.path.rsplit("/", 1)[1]
        if not self.refused(secret):
            del self.server.secrets[secret]
            self.answer(204, b"")

    def refused(self, secret):
        place = f"/{self.server.version}/secrets/"
        known = self.path.startswith(place) and secret in self.server.secrets
        status = 401 if self.headers["X-Auth-Token"] is None else 200 if known else 404
        self.server.tokens.add(self.headers["X-Auth-Token"])
        if status != 200:
            self.answer(status, b"{}")
        return status != 200

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def barbican():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Barbican)
    server.version, server.secrets, server.tokens = "v1", {}, set()
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


PEER = os.environ.get("TEST_BARBICAN_URL")


@pytest.mark.skipif(not PEER, reason="TEST_BARBICAN_URL names no Barbican")
def test_a_real_barbican_gives_certificates_and_deletes_keys(start, data):
    """TEST_BARBICAN_URL: tests/services/barbican starts one."""

    def keep(kind, payload):
        secret = {
            "secret_type": kind,
            "payload": base64.b64encode(payload).decode(),
            "payload_content_type": "application/octet-stream",
            "payload_content_encoding": "base64",
        }
        kept = requests.post(f"{PEER}/v1/secrets", json=secret, timeout=30)
        assert kept.status_code == 201, kept.text
        return kept.json()["secret_ref"].rsplit("/", 1)[1]

    api = Account(start(config=f"[barbican]\nbarbican_endpoint = {PEER}\n")).api()
    signer = Signer()
    signer.id = keep("certificate", signer.pem)
    image = api.create(**signer.properties(data))
    assert api.upload(image, b"something else").status_code == 400
    assert api.upload(image, data).status_code == 204

    key = keep("symmetric", b"0" * 32)
    image = api.create(
        cinder_encryption_key_id=key, cinder_encryption_key_deletion_policy="on_image_deletion"
    )
    assert api.delete(f"/v2/images/{image}").status_code == 204
    assert requests.get(f"{PEER}/v1/secrets/{key}", timeout=30).status_code == 404


@pytest.fixture
def with_barbican(start, barbican):
    service = start(config=f"[barbican]\nbarbican_endpoint = {barbican.url}/\n")
    return service, Account(service).api()


def test_certificates_come_from_barbican_with_the_callers_token(with_barbican, barbican, data):
    _, api = with_barbican
    signer, unknown = Signer(), Signer()
    barbican.secrets[signer.id] = signer.pem
    assert api.upload(api.create(**signer.properties(data)), data).status_code == 204
    assert barbican.tokens == {api.headers["X-Auth-Token"]}
    missing = api.upload(api.create(**unknown.properties(data)), data)
    assert f"Certificate not found with ID: {unknown.id}" in missing.text


def test_barbican_is_found_in_the_catalog(start, barbican, data):
    """As an operator leaves it who names Keystone only."""
    endpoints = [
        {"interface": "internal", "region_id": "RegionOne", "url": "http://127.0.0.1:1/"},
        {"interface": "public", "region_id": "RegionTwo", "url": "http://127.0.0.1:1/"},
        {"interface": "public", "region_id": "RegionOne", "url": f"{barbican.url}/v1/"},
    ]
    barbican.catalog = [{"type": "image"}, {"type": "key-manager", "endpoints": endpoints}]
    keystone = f"auth_endpoint = {barbican.url}/identity/v3"
    service = start(config=f"[barbican]\n{keystone}\nbarbican_region_name = RegionOne\n")
    api = Account(service).api()
    signer = Signer()
    barbican.secrets[signer.id] = signer.pem
    answer = api.upload(api.create(**signer.properties(data)), data)
    assert answer.status_code == 204, answer.text


def test_barbican_is_asked_at_the_endpoint_that_options_name(start, barbican, data):
    endpoints = [
        {"interface": "public", "region_id": "RegionOne", "url": "http://127.0.0.1:1/"},
        {"interface": "internal", "region_id": "RegionOne", "url": barbican.url},
    ]
    barbican.catalog = [{"type": "key-manager", "endpoints": endpoints}]
    options = f"auth_endpoint = {barbican.url}/identity/v3\nbarbican_endpoint_type = internal\n"
    assert takes_a_signed_image(start, barbican, data, f"[barbican]\n{options}")


def test_barbican_is_spoken_to_in_the_version_that_options_name(start, barbican, data):
    barbican.version = "v7"
    config = f"[barbican]\nbarbican_endpoint = {barbican.url}\nbarbican_api_version = v7\n"
    assert takes_a_signed_image(start, barbican, data, config)


@pytest.mark.parametrize(
    "options, is_believed",
    [
        ("", False),
        ("verify_ssl = false", True),
        ("verify_ssl_path = {ca}", True),
        ("verify_ssl = true\nverify_ssl_path = {other}", False),
    ],
)
def test_barbican_is_believed_as_options_say(
    start, barbican, authorities, data, options, is_believed
):
    ca, other, certificate = authorities
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    barbican.socket = context.wrap_socket(barbican.socket, server_side=True)
    options = options.format(ca=ca.certificate, other=other.certificate)
    url = barbican.url.replace("http:", "https:")
    config = f"[barbican]\nbarbican_endpoint = {url}\n{options}\n"
    assert takes_a_signed_image(start, barbican, data, config) == is_believed


def takes_a_signed_image(start, barbican, data, config):
    """Whether a service with this configuration gets at a certificate of Barbican's."""
    api = Account(start(config=config)).api()
    signer = Signer()
    barbican.secrets[signer.id] = signer.pem
    answer = api.upload(api.create(**signer.properties(data)), data)
    assert answer.status_code == 204 or "Unable to retrieve certificate" in answer.text
    return answer.status_code == 204


def test_a_barbican_that_is_down_lets_nothing_through(with_barbican, barbican, data):
    service, api = with_barbican
    signer = Signer()
    barbican.shutdown()
    barbican.server_close()
    refused = api.upload(api.create(**signer.properties(data)), data)
    assert refused.status_code == 400
    assert f"Unable to retrieve certificate with ID: {signer.id}" in refused.text
    assert api.headers["X-Auth-Token"] not in "".join(service.log)


def test_an_encryption_key_goes_with_its_image_where_that_is_wanted(with_barbican, barbican):
    _, api = with_barbican
    keys = [str(uuid.uuid4()) for _ in range(3)]
    barbican.secrets |= dict.fromkeys(keys, b"key")
    policies = ["on_image_deletion", "do_not_delete", None]
    for key, policy in zip(keys, policies):
        properties = {"cinder_encryption_key_id": key}
        if policy:
            properties["cinder_encryption_key_deletion_policy"] = policy
        image = api.create(**properties)
        assert api.show(image)["cinder_encryption_key_id"] == key
        assert api.delete(f"/v2/images/{image}").status_code == 204
    assert list(barbican.secrets) == keys[1:]


def test_a_key_that_can_not_be_deleted_does_not_keep_its_image(with_barbican, eventually):
    service, api = with_barbican
    for key in [str(uuid.uuid4()), "../../../etc", "x"]:
        image = api.create(
            cinder_encryption_key_id=key, cinder_encryption_key_deletion_policy="on_image_deletion"
        )
        assert api.delete(f"/v2/images/{image}").status_code == 204
        eventually(lambda: any(image in line and "stays" in line for line in service.log))


ENCRYPTION = {
    "os_encrypt_format": "LUKSv1",
    "os_encrypt_key_id": "7e7bf7d4-5d4f-4c11-a1d9-29ea2ee2b5d5",
    "os_encrypt_key_deletion_policy": "on_image_deletion",
    "os_decrypt_container_format": "bare",
    "os_decrypt_size": "1048576",
}


def test_properties_of_encryption_are_kept(api):
    shown = api.show(api.create(**ENCRYPTION))
    assert {name: shown[name] for name in ENCRYPTION} == ENCRYPTION


def test_a_pull_verifies_with_the_certificate_at_hand(signing, certificates, data, tmp_path):
    service, api = signing()
    root = Signer("ECC_SECP384R1", is_ca=True)
    signer, other = Signer(issuer=root), Signer()
    keep(certificates, signer)
    image = api.create(**signer.properties(data))
    api.upload(image, data)
    admin = Account(service)
    files = {}
    for name, someone in {"signer": signer, "other": other, "root": root}.items():
        files[name] = tmp_path / f"{name}.pem"
        files[name].write_bytes(someone.pem)

    def pull(*options, **more):
        output = tmp_path / "pulled"
        output.unlink(missing_ok=True)
        said = admin.run(TINTYPE, "image", "pull", image, "--output", output, *options, **more)
        return said, output.exists() and output.read_bytes() == data

    said, there = pull("--verify-signature", files["signer"], "--json")
    assert (json.loads(said)["signature"], there) == ("verified", True)
    said, there = pull("--verify-signature", files["other"], status=1)
    assert ("Signature verification failed" in said, there) == (True, False)
    trusting = ["--verify-signature", files["signer"], "--trust", files["root"]]
    assert pull(*trusting)[1]
    trusting[-1] = files["other"]
    said, there = pull(*trusting, status=1)
    assert ("Certificate validation failed" in said, there) == (True, False)
    unsigned = api.create()
    api.upload(unsigned, data)
    arguments = ["--output", tmp_path / "x", "--verify-signature", files["signer"]]
    assert "not signed" in admin.run(TINTYPE, "image", "pull", unsigned, *arguments, status=1)
    piped = subprocess.run(
        [TINTYPE, "image", "pull", image, "--output", "-", "--verify-signature", files["signer"]],
        env=admin.environment,
        capture_output=True,
        timeout=60,
    )
    assert (piped.returncode, piped.stdout == data) == (0, True)
