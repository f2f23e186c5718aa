"""The mends in KMS."""

import base64
import functools
import json
import unittest

from ministack.services import kms

import keys

CONTEXT = {"system": "ETL-DataLoader", "import_id": "IMPORT_1"}


class DecryptTest(unittest.TestCase):
    def setUp(self):
        self.decrypt = functools.partial(keys.decrypt, kms._decrypt)
        self.key, self.other = self.create(), self.create()
        self.blob = self.body(kms._generate_data_key({"KeyId": self.key, "KeySpec": "AES_256", "EncryptionContext": CONTEXT}))

    def body(self, answer):
        status, _, text = answer
        self.assertEqual(status, 200)
        return json.loads(text)

    def create(self):
        return self.body(kms._create_key({}))["KeyMetadata"]["KeyId"]

    def ask(self, **named):
        return self.decrypt({"CiphertextBlob": self.blob["CiphertextBlob"], "EncryptionContext": CONTEXT, **named})

    def test_the_key_that_encrypted(self):
        for named in ({"KeyId": self.key}, {}):
            with self.subTest(named):
                self.assertEqual(self.body(self.ask(**named))["Plaintext"], self.blob["Plaintext"])

    def test_another_key(self):
        status, _, text = self.ask(KeyId=self.other)
        self.assertEqual((status, json.loads(text)["__type"]), (400, "IncorrectKeyException"))

    def test_no_ciphertext(self):
        status, _, text = self.decrypt({"CiphertextBlob": base64.b64encode(b"x").decode(), "KeyId": self.key})
        self.assertEqual((status, json.loads(text)["__type"]), (400, "InvalidCiphertextException"))


if __name__ == "__main__":
    unittest.main()
