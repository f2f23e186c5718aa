"""Opens the published test vectors as another program would.

It is written from docs/ciphertext-format.md, shares no code with the product, and takes
its cryptography from the package `cryptography`, that is from OpenSSL.
"""

import hashlib
import hmac
import json
import pathlib
import struct
import unittest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VECTORS = pathlib.Path(__file__).parents[3] / "docs" / "ciphertext-vectors.json"


def item(data):
    return struct.pack(">I", len(data)) + data


def number(n):
    return item(struct.pack(">q", n))


def unseal(data_keys, value, sealed):
    """Returns the plaintext of a sealed value; fails with InvalidTag if it has none."""
    if len(sealed) < 37 or sealed[0] not in (1, 2):
        raise InvalidTag
    version, key_id, chunk = struct.unpack(">BII", sealed[:9])
    if str(key_id) not in data_keys:
        raise InvalidTag
    scope = item(value["import_id"].encode()) + number(value["generation"]) + item(value["resource"].encode())
    info = item(b"etl-dataloader field key v1") + scope + number(chunk)
    key = HKDF(SHA256(), length=32, salt=None, info=info).derive(bytes.fromhex(data_keys[str(key_id)]))
    associated = item(bytes([version])) + scope + item(value["column"].encode()) + number(value["line"])
    if version == 2:
        associated += b"".join(item(text.encode()) for text in value["key"])
    return AESGCM(key).decrypt(sealed[9:21], sealed[21:], associated)


def token(tokens_key, domain, canonical):
    derived = hmac.digest(tokens_key, b"etl-dataloader token v1:" + domain.encode(), hashlib.sha256)
    return b"\x01" + hmac.digest(derived, canonical.encode(), hashlib.sha256)[:16]


def key_check(tokens_key):
    return hmac.digest(tokens_key, b"etl-dataloader token key check v1", hashlib.sha256)[:16]


class Vectors(unittest.TestCase):
    def setUp(self):
        self.vectors = json.loads(VECTORS.read_text(encoding="utf-8"))

    def test_values(self):
        for value in self.vectors["values"]:
            with self.subTest(value["name"]):
                sealed = bytes.fromhex(value["sealed"])
                if value["plaintext"] is None:
                    with self.assertRaises(InvalidTag):
                        unseal(self.vectors["data_keys"], value, sealed)
                else:
                    plain = unseal(self.vectors["data_keys"], value, sealed)
                    self.assertEqual(plain, value["plaintext"].encode())

    def test_tokens(self):
        key = bytes.fromhex(self.vectors["tokens_key"])
        for value in self.vectors["tokens"]:
            with self.subTest(value["domain"]):
                self.assertEqual(token(key, value["domain"], value["canonical"]).hex(), value["token"])
        self.assertEqual(key_check(key).hex(), self.vectors["tokens_key_check"])


if __name__ == "__main__":
    unittest.main()
