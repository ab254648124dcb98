"""The server's half of SCRAM (RFC 5802, RFC 7677), as MongoDB has it."""

import base64
import hashlib
import hmac
import os

ROUNDS = 4096


class Exchange:
    """A log-in. Its user has one name and one password."""

    def __init__(self, mechanism, user, password):
        if mechanism == "SCRAM-SHA-1":
            # MongoDB's own way to keep it.
            password = hashlib.md5(f"{user}:mongo:{password}".encode()).hexdigest()
        self.hash = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}[mechanism]
        self.user, self.password, self.salt = user, password, os.urandom(16)

    def first(self, payload):
        """Answers the client's first message."""
        assert payload.startswith(b"n,,"), "channels are not bound"
        self.bare = payload.removeprefix(b"n,,")
        said = _fields(self.bare)
        self.known = said["n"].replace("=2C", ",").replace("=3D", "=") == self.user
        self.nonce = said["r"] + base64.b64encode(os.urandom(18)).decode()
        self.challenge = f"r={self.nonce},s={base64.b64encode(self.salt).decode()},i={ROUNDS}".encode()
        return self.challenge

    def last(self, payload):
        """Answers the client's proof; none where it is wrong."""
        said = _fields(payload)
        bare = payload.rsplit(b",p=", 1)[0]
        signed = b",".join([self.bare, self.challenge, bare])
        salted = hashlib.pbkdf2_hmac(self.hash, self.password.encode(), self.salt, ROUNDS)
        client = self._keyed(salted, b"Client Key")
        signature = self._keyed(hashlib.new(self.hash, client).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client, signature, strict=True))
        right = hmac.compare_digest(proof, base64.b64decode(said["p"]))
        if not (self.known and right and said["r"] == self.nonce):
            return None
        server = self._keyed(self._keyed(salted, b"Server Key"), signed)
        return b"v=" + base64.b64encode(server)

    def _keyed(self, key, data):
        return hmac.new(key, data, self.hash).digest()


def _fields(message):
    return dict(field.split("=", 1) for field in message.decode().split(","))
