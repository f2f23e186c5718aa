"""Holds the stand-in for the products service (infra/local/enrichment) against its WSDL, by zeep and libxml2.

zeep calls it as a client that knows the document alone; libxml2 validates what goes over the wire. The stand-in must have been
built (`make build`). The environment is of its own (`stack.py soap`).
"""

import json
import logging
import pathlib
import subprocess
import tempfile
import unittest
import urllib.request

from lxml import etree
from zeep import Client
from zeep.exceptions import Fault, TransportError
from zeep.plugins import HistoryPlugin
from zeep.wsse.username import UsernameToken

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "enrichment" / "products.wsdl"
SERVER = ROOT / "build" / "local" / "enrichment"
NAMESPACE = "urn:etl-dataloader:enrichment:products:v1"
BINDINGS = {"1.1": f"{{{NAMESPACE}}}ProductsSoap11", "1.2": f"{{{NAMESPACE}}}ProductsSoap12"}
KEYS = [str(1000 + n) for n in range(200)]


def schema():
    """The schema of the document."""
    embedded = etree.parse(DOCUMENT).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    return etree.XMLSchema(etree.fromstring(etree.tostring(embedded)))  # with the prefixes of the elements around it


class StandInTest(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.ERROR)  # zeep tells of answers that it cannot read, which some are meant to be
        self.addCleanup(logging.disable, logging.NOTSET)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        credentials = pathlib.Path(folder.name) / "credentials.json"
        credentials.write_text(json.dumps({"type": "username_token", "username": "zeep", "password": "<p&ssword>"}))
        process = subprocess.Popen([SERVER, "-addr", "127.0.0.1:0", "-products", credentials], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.url = process.stdout.readline().split()[-1] + "/products"
        self.schema = schema()

    def services(self, password="<p&ssword>"):
        """The service in each version, with what went over the wire."""
        for version, binding in BINDINGS.items():
            history = HistoryPlugin()
            client = Client(str(DOCUMENT), wsse=UsernameToken("zeep", password), plugins=[history])
            self.addCleanup(client.transport.session.close)
            yield version, client.create_service(binding, f"{self.url}/soap"), history

    def tell(self, mode, **order):
        """Gives the server an order."""
        request = urllib.request.Request(f"{self.url}/faults", json.dumps({"mode": mode, **order}).encode(),
                                         {"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=10):
            pass

    def assert_valid(self, history):
        """Both bodies of the last call are what the schema says."""
        for sent in (history.last_sent, history.last_received):
            body = next(e for e in sent["envelope"] if etree.QName(e).localname == "Body")
            self.schema.assertValid(etree.fromstring(etree.tostring(body[0])))

    def test_answers(self):
        for version, service, history in self.services():
            with self.subTest(version):
                listed = service.LookupList(key=KEYS)
                self.assert_valid(history)
                self.assertEqual([r.key for r in listed], KEYS)
                self.assertEqual({r.found for r in listed}, {True, False})
                found = [r for r in listed if r.found]
                self.assertIn("Lumière & Fils", [r["values"].brand for r in found])
                self.assertIn(None, [r["values"].eco_score for r in found])
                self.assertTrue(all(isinstance(r["values"].weight_g, int) for r in found))
                for one in listed[:20]:
                    self.assertEqual(service.Lookup(key=one.key), one)
                    self.assert_valid(history)

    def test_documented_faults(self):
        for version, service, history in self.services():
            for mode in ("half", "reordered", "doubled"):
                with self.subTest(f"{version}, {mode}"):
                    self.tell(mode)
                    service.LookupList(key=KEYS)
                    self.assert_valid(history)
            receiver, sender = {"1.1": ("soap:Server", "soap:Client"), "1.2": ("soap:Receiver", "soap:Sender")}[version]
            for mode, code in {"fault": receiver, "fault_ok": receiver, "fault_sender": sender}.items():
                with self.subTest(f"{version}, {mode}"):
                    self.tell(mode)
                    with self.assertRaises(Fault) as raised:
                        service.Lookup(key="1000")
                    self.assertEqual(raised.exception.code, code)

    def test_credentials(self):
        for version, service, _ in self.services(password="another"):
            with self.subTest(version), self.assertRaises(Fault) as raised:
                service.Lookup(key="1000")
            codes = [raised.exception.code, *map(str, raised.exception.subcodes or [])]
            self.assertTrue(codes[-1].endswith("FailedAuthentication"), codes)

    def test_faults_that_break_the_document(self):
        for version, service, history in self.services():
            for mode in ("garbage", "error_body", "namespace", "bomb", "bad_record", "out_of_range", "huge_number", "duplicate_members"):
                with self.subTest(f"{version}, {mode}"):
                    self.tell(mode)
                    with self.assertRaises(Exception):
                        service.LookupList(key=KEYS)
                        self.assert_valid(history)
            self.tell("unauthorized")
            with self.assertRaises(TransportError):
                service.Lookup(key="1000")


if __name__ == "__main__":
    unittest.main()
