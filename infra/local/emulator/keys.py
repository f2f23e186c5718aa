"""Mends in the emulator's KMS.

What differs from KMS in ministack 1.5.33 and counts here: a Decrypt that names another
key than the one that encrypted answers with noise, where KMS refuses (KMS API
Reference, Decrypt: IncorrectKeyException).
"""

import base64
import functools

from ministack.services import kms


def install():
    """Replaces the emulator's Decrypt by that of this module."""
    kms._decrypt = functools.partial(decrypt, kms._decrypt)


def decrypt(original, data):
    """Decrypt; the key that is named must be the one that encrypted."""
    named = kms._resolve_key(data["KeyId"]) if data.get("KeyId") else None
    if named and "_symmetric_key" in named:
        # A ciphertext of the emulator begins with the id of its key.
        used = kms._resolve_key(base64.b64decode(data.get("CiphertextBlob", ""))[:36].decode("utf-8", errors="ignore"))
        if used and used["KeyId"] != named["KeyId"]:
            return kms.error_response_json(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.", 400)
    return original(data)
