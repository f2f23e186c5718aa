"""Compares the engines on records, keys, relations and headers.

Ten small files of one day are sound; each case replaces some of them. A case
with a decided difference says what each engine finds, so that a change of
either is noticed.
"""

import json
import pathlib
import tempfile
import unittest

import differences as d
import engines

HEADERS = {
    resource["name"]: ",".join(field["name"] for field in resource["schema"]["fields"])
    for resource in json.loads(engines.DESCRIPTOR.read_text(encoding="utf-8"))["resources"]
}

DAY = {
    "clients": ["101,Léa,Roux,lea@exemple.fr,1000000001,,,,Lyon,FR,2024-02-02T03:04:05Z", "102,Luc,Blanc,luc@exemple.fr,1000000002,,,,Lyon,FR,2024-02-02T03:04:05Z"],
    "produits": ["1,Bêche,2,1,12.50,EUR,true", "2,Râteau,2,1,8.00,EUR,true"],
    "categories": ["1,Jardin,", "2,Outils,1"],
    "ventes": ["1001,101,1,1,2,12.50,25.00,2024-10-05,web", "1002,102,2,1,1,8.00,8.00,2024-10-05,web"],
    "magasins": ["1,Centre,Lyon,FR,2000-01-01", "2,Gare,Paris,FR,2000-01-01"],
    "fournisseurs": ["1,Dupont,contact@exemple.fr,"],
    "stocks": ["1,1,5,2024-10-08T20:00:00Z", "1,2,5,2024-10-08T20:00:00Z"],
    "paiements": ["501,1001,25.00,carte,,2024-10-08T10:00:00Z"],
    "retours": ["901,1001,1,erreur,2024-10-08"],
    "employes": ["9,Ana,Neuf,ana@exemple.fr,2000000001,1,2015-01-01,"],
}


def ask(**files):
    """Writes the day's files, some of them replaced, and returns both answers.

    A list replaces the records below the header, bytes or text the whole file.
    """
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for resource, records in {**DAY, **files}.items():
            if isinstance(records, list):
                records = "\n".join([HEADERS[resource], *records]) + "\n"
            if isinstance(records, str):
                records = records.encode()
            names[resource] = resource + "_20241008.csv"
            pathlib.Path(folder, names[resource]).write_bytes(records)
        return engines.product(folder, names), engines.standard(folder, names)


STORE = "1,Centre,Lyon,FR,2000-01-01"


class Records(unittest.TestCase):
    """What one record or several are rejected for."""

    def agree(self, resource, records, *expected):
        """Both engines find exactly these errors in a file."""
        ours, theirs = ask(**{resource: records})
        self.assertEqual(ours.faults, {})
        self.assertEqual(theirs.faults, {})
        self.assertEqual(ours.of(resource), set(expected))
        self.assertEqual(theirs.of(resource), set(expected))

    def differ(self, difference, files, resource, ours, theirs):
        """Each engine finds what is said of it."""
        self.assertIn(difference, d.ALL)
        mine, other = ask(**files)
        self.assertEqual(mine.of(resource), set(ours))
        self.assertEqual(other.of(resource), set(theirs))

    def test_sound(self):
        """Nothing is found in the day's files."""
        ours, theirs = ask()
        self.assertEqual((ours.errors, ours.faults), ({}, {}))
        self.assertEqual((theirs.errors, theirs.faults), ({}, {}))

    def test_reading(self):
        """Byte order mark, line ends, quoting, physical lines."""
        header = HEADERS["magasins"]
        self.agree("magasins", b"\xef\xbb\xbf" + (header + "\n" + STORE + "\n").encode())
        self.agree("magasins", (header + "\r\n" + STORE + "\r\n3,,Lyon,FR,2000-01-01\r\n"), (3, "name", "required"))
        self.agree("magasins", header + "\n" + STORE)
        self.agree("magasins", ['"1","Cen,tre","Ly\non","FR","2000-01-01"', '2,,"a""b",FR,2000-01-01'], (4, "name", "required"))
        self.agree("magasins", ['1,"",Lyon,FR,2000-01-01', '2," .",Lyon,FR,2000-01-01'], (2, "name", "required"))
        self.agree("magasins", ["2,,Lyon,FR,2000-01-01", '1,"Cen\rtre",Lyon,FR,2000-01-01'], (2, "name", "required"))

    def test_all_errors_of_a_record(self):
        """Each wrong field is told, and each constraint it breaks."""
        self.agree("magasins", ["-1," + "x" * 81 + ",,fr,2000-02-30", "9223372036854775808,A,Lyon,FR,2000-01-01", STORE],
                   (2, "store_id", "exclusiveMinimum"), (2, "name", "maxLength"), (2, "city", "required"), (2, "country", "enum"),
                   (2, "opened_on", "type"), (3, "store_id", "maximum"))

    def test_keys(self):
        """A key is a number, not its text; the first record stands, even if rejected."""
        self.agree("magasins", [STORE, "2,B,Lyon,FR,2000-01-01", "01,C,Lyon,FR,2000-01-01", "+1,D,Lyon,FR,2000-01-01"],
                   (4, "store_id", "primaryKey"), (5, "store_id", "primaryKey"))
        self.agree("magasins", ["1,,Lyon,FR,2000-01-01", STORE, "2,B,Lyon,FR,2000-01-01"], (2, "name", "required"), (3, "store_id", "primaryKey"))
        self.agree("magasins", [STORE, "2,B,Lyon,FR,2000-01-01", "0,A,Lyon,FR,2000-01-01", "-0,A,Lyon,FR,2000-01-01"],
                   (4, "store_id", "exclusiveMinimum"), (5, "store_id", "exclusiveMinimum"), (5, "store_id", "primaryKey"))
        self.agree("stocks", ["1,1,5,2024-10-08T20:00:00Z", "1,2,5,2024-10-08T20:00:00Z", "2,1,5,2024-10-08T20:00:00Z", "01,+2,6,2024-10-08T20:00:00Z"],
                   (5, "product_id, store_id", "primaryKey"))
        tail = ",2024-02-02T03:04:05Z"
        self.agree("clients", DAY["clients"] + ["103,Léo,Vert,leo@exemple.fr,1000000001,,,,Lyon,FR" + tail, "104,Zoé,Noir,zoe@exemple.fr,,,,,Lyon,FR" + tail,
                                                "105,Zoé,Noir,zoe@exemple.fr,,,,,Lyon,FR" + tail],
                   (4, "nif", "unique"), (5, "nif", "required"), (6, "nif", "required"))

    def test_relations(self):
        """A parent that is in no record, of another file or the same one."""
        self.agree("produits", DAY["produits"] + ["3,Pelle,9,1,1,EUR,true", "4,Pelle,2,9,1,EUR,true", "5,Pelle,+2,01,1,EUR,true", "6,Pelle,,1,1,EUR,true"],
                   (4, "category_id", "foreignKey"), (5, "supplier_id", "foreignKey"), (7, "category_id", "required"))
        self.agree("categories", DAY["categories"] + ["3,Perdue,9"], (4, "parent_category_id", "foreignKey"))
        self.agree("ventes", DAY["ventes"] + ["1003,999,1,1,1,1,1,2024-10-05,web"], (4, "client_id", "foreignKey"))

    def test_decided_keys(self):
        """Keys that are missing, in part or as a whole."""
        self.differ(d.NO_KEY, {"magasins": [STORE, "2,B,Lyon,FR,2000-01-01", ",C,Lyon,FR,2000-01-01", "x,D,Lyon,FR,2000-01-01"]}, "magasins",
                    [(4, "store_id", "required"), (5, "store_id", "type")],
                    [(4, "store_id", "required"), (5, "store_id", "type"), (4, "store_id", "no key"), (5, "store_id", "no key")])
        self.differ(d.PART_OF_KEY, {"stocks": [",1,5,2024-10-08T20:00:00Z", ",1,6,2024-10-08T20:00:00Z"]}, "stocks",
                    [(2, "product_id", "required"), (3, "product_id", "required")],
                    [(2, "product_id", "required"), (3, "product_id", "required"), (3, "product_id, store_id", "primaryKey")])

    def test_decided_big_keys(self):
        """A key that fits no column is rejected for its size alone."""
        wrong = (4, "category_id", "maximum")
        self.differ(d.BIG_KEY, {"produits": DAY["produits"] + ["3,Pelle,9223372036854775808,1,1,EUR,true"]}, "produits",
                    [wrong], [wrong, (4, "category_id", "foreignKey")])

    def test_decided_cascades(self):
        """A parent that is rejected is no parent, and a cycle has none."""
        orphan = (2, "category_id", "foreignKey")
        self.differ(d.CASCADE, {"categories": ["1,,"], "produits": ["1,Bêche,1,1,12.50,EUR,true"]}, "produits", [orphan], [])
        self.differ(d.CASCADE, {"categories": ["1,A,2", "2,B,1", "3,C,1"]}, "categories",
                    [(2, "parent_category_id", "cycle"), (3, "parent_category_id", "cycle"), (4, "parent_category_id", "foreignKey")], [])

    def test_decided_lines(self):
        """Records of another number of fields, and empty ones."""
        good = "2,Gare,Paris,FR,2000-01-01"
        self.differ(d.RAGGED, {"magasins": [STORE, good, "x,,Lyon,FR"]}, "magasins", [(4, "", "fields")],
                    [(4, "", "fields"), (4, "store_id", "type"), (4, "name", "required"), (4, "opened_on", "required"), (4, "store_id", "no key")])
        self.agree("magasins", [STORE, good, "3,A,Lyon,FR,2000-01-01,x", "4,A,Lyon,FR,2000-01-01,"], (4, "", "fields"), (5, "", "fields"))
        self.differ(d.RAGGED_KEY, {"magasins": ["1,A,Lyon,FR,2000-01-01,x", STORE, good]}, "magasins",
                    [(2, "", "fields")], [(2, "", "fields"), (3, "store_id", "primaryKey")])
        self.differ(d.BLANK, {"magasins": ["", STORE, good, "", "3,,Lyon,FR,2000-01-01"]}, "magasins", [(6, "name", "required")],
                    [(6, "name", "required"), (2, "", "blank"), (2, "store_id", "no key"), (5, "", "blank"), (5, "store_id", "no key")])
        self.differ(d.EMPTY_RECORD, {"magasins": [STORE, good, ",,,,"]}, "magasins",
                    [(4, name, "required") for name in HEADERS["magasins"].split(",")], [(4, "", "blank"), (4, "store_id", "no key")])

    def test_decided_quotes(self):
        """Quotes that RFC 4180 does not allow reject their record and no other."""
        good, bad = "2,Gare,Paris,FR,2000-01-01", "3,,Lyon,FR,2000-01-01"
        for text in ('1,Cen"tre,Lyon,FR,2000-01-01', '1,"Cen"tre,Lyon,FR,2000-01-01', '1, "Centre",Lyon,FR,2000-01-01'):
            with self.subTest(text=text):
                self.differ(d.QUOTES, {"magasins": [text, good, bad]}, "magasins", [(2, "", "quote"), (4, "name", "required")], [(4, "name", "required")])
        # The rest of the file goes with a quote that is not closed.
        lost = [(3, "", "fields"), (3, "city", "required"), (3, "country", "required"), (3, "opened_on", "required")]
        self.differ(d.QUOTES, {"magasins": [good, '1,"Centre,Lyon,FR,2000-01-01', bad]}, "magasins", [(3, "", "quote"), (4, "name", "required")], lost)

    def test_decided_bytes(self):
        """Bytes that are no text of the encoding."""
        file = "\n".join([HEADERS["magasins"], STORE, "2,Gare\0,Paris,FR,2000-01-01", "3,,Lyon,FR,2000-01-01"])
        self.differ(d.UNREADABLE, {"magasins": file}, "magasins", [(3, "", "nul"), (4, "name", "required")], [(4, "name", "required")])
        invalid = file.encode().replace(b"\0", b"\xe9")
        self.differ(d.UNREADABLE, {"magasins": invalid}, "magasins", [(3, "", "encoding"), (4, "name", "required")], [])
        self.assertEqual(ask(magasins=invalid)[1].faults["magasins"], "encoding-error")
        ours, theirs = ask(magasins=[STORE, "2,Ga\rre,Paris,FR,2000-01-01"])
        self.assertEqual(ours.of("magasins"), set(), d.CARRIAGE_RETURN)
        self.assertNotEqual(theirs.of("magasins"), set())
        ours, theirs = ask(magasins=HEADERS["magasins"] + "\n" + STORE + "\r2,Gare,Paris,FR,2000-01-01\r")
        self.assertIn("(CR)", ours.faults["magasins"], d.CARRIAGE_RETURN)
        self.assertEqual(theirs.faults.get("magasins"), None)


class Files(unittest.TestCase):
    """What a whole file is refused for."""

    def faults(self, text):
        """Returns why each engine refuses the file of stores, None if it does not."""
        ours, theirs = ask(magasins=text)
        return ours.faults.get("magasins"), theirs.faults.get("magasins")

    def test_headers(self):
        """Other columns than the contract's refuse a file, another order does not."""
        for text, fault in {
            "store_id,name,city,country\n1,A,Lyon,FR\n": "missing-label",
            "store_id,name,city,country,opened_on,x\n1,A,Lyon,FR,2000-01-01,\n": "extra-label",
            "store_id,name,city,country,opened_on,name\n1,A,Lyon,FR,2000-01-01,B\n": "error",
            "Store_ID,name,city,country,opened_on\n" + STORE + "\n": "missing-label",
            STORE + "\n": "missing-label",
            "": "source-error",
            HEADERS["magasins"].encode("utf-16"): "encoding-error",
        }.items():
            with self.subTest(text=text[:40]):
                ours, theirs = self.faults(text)
                self.assertTrue(ours)
                self.assertEqual(theirs, fault)
        self.assertEqual(self.faults("name,store_id,opened_on,country,city\nCentre,1,2000-01-01,FR,Lyon\n"), (None, None))

    def test_decided(self):
        """Headers that frictionless trims or looks for further down."""
        ours, theirs = self.faults("store_id, name,city,country,opened_on\n" + STORE + "\n")
        self.assertTrue(ours, d.HEADER_SPACES)
        self.assertIsNone(theirs)
        file = "\n" + HEADERS["magasins"] + "\n" + STORE + "\n2,Gare,Paris,FR,2000-01-01\n"
        ours, theirs = ask(magasins=file)
        self.assertEqual(ours.of("magasins"), set(), d.FIRST_LINE_BLANK)
        self.assertNotEqual(theirs.of("magasins"), set())
        ours, theirs = self.faults(HEADERS["magasins"] + "\n")
        self.assertTrue(ours, d.HEADER_ALONE)
        self.assertIsNone(theirs)


if __name__ == "__main__":
    unittest.main()
