"""An authority that makes certificates with the `openssl` of everybody."""

import subprocess

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]


class Authority:
    """A certificate authority of a test's own, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        own = ["-subj", "/CN=an authority", "-days", "2"]
        openssl("req", "-x509", *EC, *own, "-out", self.certificate, "-keyout", self._key)

    def options(self, name, san):
        """Lines of `[registry]` for a side with such a certificate, that trusts this authority."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName = {san}\n")
        openssl("req", "-new", *EC, "-subj", f"/CN={name}", "-out", request, "-keyout", key)
        signing = ["-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial"]
        signing += ["-days", "2", "-extfile", extensions]
        openssl("x509", "-req", "-in", request, *signing, "-out", certificate)
        return f"ca_file = {self.certificate}\ncert_file = {certificate}\nkey_file = {key}"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
