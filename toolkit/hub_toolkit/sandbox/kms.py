"""KMS as far as signatures need it: keys that sign a digest, and their public keys.

Moto hashes again what it is told is a digest already (``MessageType`` DIGEST), so that no signature
of it could be verified as one of KMS. Shapes and refusals follow the API reference of Sign and
GetPublicKey. Both operations know these keys only; everything else of KMS is moto's.
"""

from __future__ import annotations

import base64
import binascii
import threading
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub_toolkit.sandbox.aws_json import json_app
from hub_toolkit.sandbox.errors import AwsError

if TYPE_CHECKING:
    from hub_toolkit.sandbox.wsgi import App

OPERATIONS = ("Sign", "GetPublicKey")
SPEC = "ECC_NIST_P256"
ALGORITHM = "ECDSA_SHA_256"
MAX_RAW = 4096
_DIGEST_BYTES = 32


class Kms:
    """Keys of the kind that signs: P-256, by ARN or id."""

    def __init__(self) -> None:
        self._keys: dict[str, EllipticCurvePrivateKey] = {}
        self._aliases: dict[str, str] = {}
        self._lock = threading.Lock()
        self.app: App = json_app("TrentService", self)

    def create(self, arn: str, alias: str = "") -> None:
        """Make a key."""
        with self._lock:
            self._keys[arn] = generate_private_key(SECP256R1())
            self._aliases[arn] = alias

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation.

        Raises:
            AwsError: KMS refuses.
        """
        arn, key = self._find(str(request.get("KeyId", "")))
        if operation == "GetPublicKey":
            return _described(arn, key)
        return self._sign(arn, key, request)

    def _find(self, name: str) -> tuple[str, EllipticCurvePrivateKey]:
        with self._lock:
            for arn, key in self._keys.items():
                if name in (arn, arn.rpartition("/")[2], self._aliases[arn] or None):
                    return arn, key
        raise AwsError("NotFoundException", f"Key '{name}' does not exist")

    @staticmethod
    def _sign(arn: str, key: EllipticCurvePrivateKey, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("SigningAlgorithm") != ALGORITHM:
            raise AwsError(
                "InvalidKeyUsageException",
                f"Algorithm {request.get('SigningAlgorithm')} is incompatible with key spec {SPEC}",
            )
        try:
            message = base64.b64decode(str(request.get("Message", "")), validate=True)
        except binascii.Error:
            raise AwsError("SerializationException", "Message is not base64") from None
        digest = request.get("MessageType", "RAW") == "DIGEST"
        if digest and len(message) != _DIGEST_BYTES:
            raise AwsError(
                "ValidationException", f"Digest is invalid length for algorithm {ALGORITHM}"
            )
        if not 0 < len(message) <= MAX_RAW:
            raise AwsError("ValidationException", f"Message must have 1 to {MAX_RAW} bytes")
        signature = key.sign(message, ECDSA(Prehashed(SHA256()) if digest else SHA256()))
        return {
            "KeyId": arn,
            "Signature": base64.b64encode(signature).decode(),
            "SigningAlgorithm": ALGORITHM,
        }


def _described(arn: str, key: EllipticCurvePrivateKey) -> dict[str, Any]:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "KeyId": arn,
        "PublicKey": base64.b64encode(der).decode(),
        "KeySpec": SPEC,
        "CustomerMasterKeySpec": SPEC,
        "KeyUsage": "SIGN_VERIFY",
        "SigningAlgorithms": [ALGORITHM],
    }
