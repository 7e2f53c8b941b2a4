"""Certificates of a test, made with openssl."""
import subprocess


class Authority:
    """A certificate authority in a directory, and what it signs."""

    def __init__(self, directory, name="ca"):
        self.directory = directory
        self.name = name
        self.file = directory / f"{name}.pem"
        self.openssl("req", "-x509", "-subj", f"/CN={name}", "-days", 2,
                     *self.new_key(name), "-out", self.file)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True,
                       capture_output=True)

    def new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", self.directory / f"{name}.key")

    def sign(self, name, common_name, names=None):
        """One file with certificate and key, NAME.pem."""
        place = self.directory / name
        request, extensions = place.with_suffix(".csr"), place.with_suffix(
            ".cnf")
        self.openssl("req", "-new", "-subj", f"/CN={common_name}",
                     *self.new_key(name), "-out", request)
        extensions.write_text(f"subjectAltName={names}\n" if names else "")
        self.openssl("x509", "-req", "-in", request, "-CA", self.file,
                     "-CAkey", self.directory / f"{self.name}.key", "-days",
                     2, "-extfile", extensions, "-out",
                     place.with_suffix(".crt"))
        both = place.with_suffix(".pem")
        both.write_text(place.with_suffix(".crt").read_text() +
                        place.with_suffix(".key").read_text())
        return both
