"""Somebody who signs images."""

import base64
import datetime
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.MAX_LENGTH)

KEYS = {
    "RSA-PSS": lambda: rsa.generate_private_key(65537, 2048),
    "DSA": lambda: dsa.generate_private_key(2048),
    "ECC_SECP384R1": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ECC_SECP521R1": lambda: ec.generate_private_key(ec.SECP521R1()),
}


class Signer:
    """Somebody who signs images: a key and its certificate."""

    def __init__(self, kind="RSA-PSS", issuer=None, days=1, is_ca=False):
        self.id = str(uuid.uuid4())
        self.kind = kind
        self.key = KEYS[kind]()
        name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        signer = issuer or self
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name(self.id))
            .issuer_name(name(signer.id))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3 * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if is_ca:
            usage = dict.fromkeys(USAGES, False) | {"key_cert_sign": True}
            certificate = certificate.add_extension(x509.KeyUsage(**usage), critical=True)
        self.certificate = certificate.sign(signer.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def properties(self, data, **changes):
        arguments = {"RSA-PSS": (PSS, hashes.SHA256()), "DSA": (hashes.SHA256(),)}
        own = arguments.get(self.kind, (ec.ECDSA(hashes.SHA256()),))
        properties = {
            "img_signature": base64.b64encode(self.key.sign(data, *own)).decode(),
            "img_signature_hash_method": "SHA-256",
            "img_signature_key_type": self.kind,
            "img_signature_certificate_uuid": self.id,
        }
        return properties | changes


USAGES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
]
