"""The public keys that signed digests: from a file, or from KMS."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from hub_responder.archive.digest import pae
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_responder.archive.digest import Opened
    from hub_toolkit.stack import Stack

Keys = Mapping[str, EllipticCurvePublicKey]
"""Key id (SHA-256, hex, of the DER form) -> key."""


def of_files(paths: Iterable[Path]) -> Keys:
    """The keys in files, PEM or DER.

    Raises:
        DeploymentError: a file cannot be read, or is no public key on P-256.
    """
    found = {}
    for path in paths:
        try:
            found.update(_read(path.read_bytes()))
        except OSError as error:
            raise DeploymentError(f"{path}: {error.strerror}") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise DeploymentError(f"{path} is no public key on P-256, in PEM or DER") from error
    return found


def of_kms(stack: Stack, key: str) -> Keys:
    """A key of KMS, by its ARN.

    Raises:
        DeploymentError: it cannot be asked for, or signs otherwise.
    """
    answer = stack.call("kms", "get_public_key", KeyId=key)
    try:
        return _read(answer["PublicKey"])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DeploymentError(f"{key} is no key on P-256") from error


def pem(keys: Keys) -> str:
    """The keys as a file that `of_files` reads: one PEM after the other."""
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return "".join(key.public_bytes(*form).decode() for key in keys.values())


def signed_by(opened: Opened, keys: Keys) -> str | None:
    """The id of a key that signed a digest; None: none of ``keys`` did."""
    message = pae(opened.payload)
    for signature in opened.signatures:
        key = keys.get(signature.keyid)
        if key is None:
            continue
        try:
            key.verify(base64.b64decode(signature.sig, validate=True), message, ECDSA(SHA256()))
        except (InvalidSignature, binascii.Error):
            continue
        return signature.keyid
    return None


def _read(content: bytes) -> dict[str, EllipticCurvePublicKey]:
    load = (
        load_pem_public_key if content.lstrip().startswith(b"-----BEGIN") else load_der_public_key
    )
    key = load(content)
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("another kind of key")  # noqa: TRY004 - whoever calls says what it is
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {hashlib.sha256(der).hexdigest(): key}
