"""Tests of the emulator with permissions enforced, by requests that boto3 signs."""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

import signatures

HERE = pathlib.Path(__file__).resolve().parent
REGION = "eu-west-1"


class AsTheFrontReceivedIt(unittest.TestCase):
    """The request whose signature is checked."""

    def pinned(self, headers):
        """What is kept for the check of a request with these headers."""
        kept = []
        signatures.pin_signed_request(lambda *args: kept.append(args), "GET", "/b/k", {}, headers)
        return kept[0]

    def test_without_a_note(self):
        headers = [(b"host", b"a"), (b"range", b"bytes=0-1")]
        self.assertEqual(self.pinned(headers), ("GET", "/b/k", {}, headers))

    def test_with_a_note(self):
        note = json.dumps({"method": "HEAD", "headers": {"range": "bytes=0-1", "host": "b"}}).encode()
        method, _, _, headers = self.pinned([(b"host", b"a"), (b"x", b"y"), (b"X-Front-Signed", base64.b64encode(note))])
        self.assertEqual(method, "HEAD")
        self.assertEqual(dict(headers)[b"range"], b"bytes=0-1")
        self.assertEqual([value for name, value in headers if name == b"host"], [b"b"])
        self.assertEqual(dict(headers)[b"x"], b"y")


class Enforced(unittest.TestCase):
    """A running emulator."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        with subprocess.Popen([sys.executable, "-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0));"
                               "print(s.getsockname()[1])"], stdout=subprocess.PIPE, text=True) as chosen:
            port = chosen.stdout.read().strip()
        environment = {"PATH": os.environ["PATH"], "TMPDIR": folder.name, "AUTH": "true", "BIND_HOST": "127.0.0.1",
                       "GATEWAY_PORT": port, "MINISTACK_REGION": REGION, "AWS_ACCESS_KEY_ID": "test",
                       "AWS_SECRET_ACCESS_KEY": "test", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
                       "PYTHONDONTWRITEBYTECODE": "1", "PERMISSIONS_FILE": str(pathlib.Path(folder.name, "permissions"))}
        process = subprocess.Popen([sys.executable, HERE / "main.py"], env=environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.terminate)
        cls.endpoint = f"http://127.0.0.1:{port}"
        cls.await_ready(process)
        cls.root = cls.client("s3", "test", "test")
        cls.root.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": REGION})
        cls.iam = cls.client("iam", "test", "test")

    @classmethod
    def await_ready(cls, process):
        """Waits until the emulator answers."""
        pause = threading.Event()
        while process.poll() is None:
            try:
                with urllib.request.urlopen(f"{cls.endpoint}/_ministack/ready", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pause.wait(0.05)
        raise AssertionError("the emulator ended")

    @classmethod
    def client(cls, service, key, secret):
        """A client with these credentials, which asks once."""
        return boto3.client(service, endpoint_url=cls.endpoint, region_name=REGION, aws_access_key_id=key,
                            aws_secret_access_key=secret,
                            config=botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))

    def user(self, name, *statements):
        """The credentials of a new user with these rights."""
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": list(statements)}))
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def refused(self, code, request, **parameters):
        """Asserts that a request is refused by a code."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            request(**parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_rights(self):
        put = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::landing/daily/*"}
        objects = self.client("s3", *self.user("depositor", put))
        objects.put_object(Bucket="landing", Key="daily/a", Body=b"a")
        self.refused("AccessDenied", objects.put_object, Bucket="landing", Key="other/a", Body=b"a")
        self.refused("AccessDenied", objects.get_object, Bucket="landing", Key="daily/a")

    def test_signature(self):
        key, _ = self.user("forged", {"Effect": "Allow", "Action": "*", "Resource": "*"})
        self.refused("SignatureDoesNotMatch", self.client("s3", key, "guessed").list_objects_v2, Bucket="landing")

    def test_encryption_context_of_kms(self):
        keys = self.client("kms", "test", "test")
        arn = keys.create_key()["KeyMetadata"]["Arn"]
        sealed = keys.generate_data_key(KeyId=arn, KeySpec="AES_256", EncryptionContext={"system": "A"})["CiphertextBlob"]
        allowed = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": arn,
                   "Condition": {"StringEquals": {"kms:EncryptionContext:system": "A"}}}
        user = self.client("kms", *self.user("reader", allowed))
        user.decrypt(KeyId=arn, CiphertextBlob=sealed, EncryptionContext={"system": "A"})
        self.refused("AccessDeniedException", user.decrypt, KeyId=arn, CiphertextBlob=sealed, EncryptionContext={"system": "B"})
        self.refused("AccessDeniedException", user.decrypt, KeyId=arn, CiphertextBlob=sealed)


if __name__ == "__main__":
    unittest.main()
