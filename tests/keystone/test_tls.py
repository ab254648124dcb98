"""Keystone behind TLS (`[keystone_authtoken]`): whom to trust, and how to show who we are."""

import shutil
import ssl
import subprocess

import pytest

from keystone.door import Door


@pytest.fixture
def pair(tmp_path):
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl, which makes the certificate")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-out", certificate, "-keyout", key]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def test_only_who_is_trusted_is_keystone(own, cloud, pair):
    certificate, key = pair
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    door = Door(cloud.url, tls)
    try:
        for options, status in [
            ({}, 503),
            ({"cafile": certificate}, 200),
            ({"insecure": "true"}, 200),
        ]:
            images = own(auth_url=door.url, **options)
            assert cloud.member.at(images).get("/v2/images").status_code == status, options
            images.stop()
    finally:
        door.shut()


def test_a_certificate_of_our_own_is_shown(own, cloud, pair):
    certificate, key = pair
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate)
    tls.load_cert_chain(certificate, key)
    tls.verify_mode = ssl.CERT_REQUIRED
    door = Door(cloud.url, tls)
    own_pair = {"certfile": certificate, "keyfile": key}
    try:
        for options, status in [({}, 503), (own_pair, 200)]:
            images = own(auth_url=door.url, cafile=certificate, **options)
            assert cloud.member.at(images).get("/v2/images").status_code == status, options
            images.stop()
    finally:
        door.shut()
