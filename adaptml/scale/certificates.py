"""What lets a scheduler, its workers and those who ask them know each other: one authority, one certificate.

Dask checks that the other end's certificate is one of the authority's, in both directions, and asks for no
name: one certificate serves all. The authority's key is forgotten once it has signed: there will be no other.
"""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptml.errors import ScaleError, listed, one_line
from adaptml.files import PRIVATE, replacing

if TYPE_CHECKING:
    from distributed import Security

AUTHORITY, CERTIFICATE, KEY = FILES = ("scale_ca.pem", "scale_cert.pem", "scale_key.pem")
DAYS = 3650
_NAME = "ADaPT-ML scale"


def make_certificates() -> dict[str, str]:
    """Text of each of the three files, anew.

    Raises:
        ScaleError: the library is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise not_installed("certificates") from error

    def named(name: str) -> "x509.Name":
        return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])

    def signed(subject: str, public: Any, is_authority: bool) -> str:
        """A certificate, signed by the authority."""
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named(f"{_NAME} authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))  # other machines' clocks
            .not_valid_after(now + datetime.timedelta(days=DAYS))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        made = builder.sign(authority, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM).decode()

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    private = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        AUTHORITY: signed(f"{_NAME} authority", authority.public_key(), is_authority=True),
        CERTIFICATE: signed(_NAME, own.public_key(), is_authority=False),
        KEY: private.decode(),
    }


def write_certificates(folder: Path) -> None:
    """Make the three files in a folder; their owner alone can read them.

    Raises:
        ScaleError: one of them is there already.
        FileError: they cannot be written.
    """
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise ScaleError(
            f"{folder} has {listed(there)} already, which schedulers and workers may use; remove the three "
            f"files ({', '.join(FILES)}) there to make new ones"
        )
    for name, text in make_certificates().items():
        with replacing(folder / name, mode=PRIVATE) as temporary:
            temporary.write_text(text, encoding="utf-8")


def security(address: str, folder: Path) -> "Security":
    """What Dask needs to know for an address: for `tls://` the three files of a folder.

    Raises:
        ScaleError: they are not there, or are no certificates.
    """
    from distributed import Security

    if address.startswith("tcp://"):
        return Security(require_encryption=False)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ScaleError(
            f"{address} needs {listed(missing)} in {folder} (ADAPTML_SCALE_CERTIFICATES), the same on each "
            "machine; `adaptml scale certificates` makes them: copy them from where that was done"
        )
    authority, certificate, key = (str(folder / name) for name in FILES)
    roles = ("client", "scheduler", "worker")
    files = {f"tls_{role}_cert": certificate for role in roles} | {f"tls_{role}_key": key for role in roles}
    made = Security(require_encryption=True, tls_ca_file=authority, **files)
    try:
        made.get_connection_args("client")
    except OSError as error:  # as ssl's errors are
        raise ScaleError(
            f"{', '.join(FILES)} in {folder} cannot be used: {error}; copy them from where "
            "`adaptml scale certificates` was run"
        ) from error
    return made


def unreachable(address: str, error: OSError) -> ScaleError:
    """What to do where no scheduler answers, or none that has our certificates."""
    first = error
    while isinstance(first.__cause__, OSError):
        first = first.__cause__
    refused = "start one there with `adaptml scale scheduler`"
    if address.startswith("tls://"):
        refused += ", with the same certificates as here"
    return ScaleError(f"no scheduler answers at {address}: {one_line(first)}; {refused}")


def not_installed(what: str) -> ScaleError:
    """What to install."""
    return ScaleError(
        f"{what} need a library that is not installed; install the extra: pip install -e '.[scale]'"
    )
