"""Compares the engines value by value, also in another dialect."""

import copy
import csv
import json
import pathlib
import tempfile
import unittest

import cases
import engines

FILE = "essai_data_20241008.csv"


def descriptor(fields, **more):
    """Returns a package of one file with these fields."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "essais",
        "resources": [{
            "name": "essais", "path": FILE, "type": "table", "format": "csv",
            "etl:fileType": "essai_data", "etl:load": "upsert", "etl:event": "essai.reloaded",
            "schema": {"missingValues": [""], "fieldsMatch": "equal", "primaryKey": "ligne", "fields": fields}, **more,
        }],
    }


def ask(package, rows, encoding="utf-8", delimiter=",", quote='"'):
    """Writes rows of {field: text} and returns both answers, by row."""
    with tempfile.TemporaryDirectory() as folder:
        described = pathlib.Path(folder) / "datapackage.json"
        described.write_text(json.dumps(package), encoding="utf-8")
        path = pathlib.Path(folder) / FILE
        names = [field["name"] for field in package["resources"][0]["schema"]["fields"]]
        with path.open("w", newline="", encoding=encoding) as out:
            writer = csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([{"ligne": str(i + 1), **row}.get(name, "") for name in names] for i, row in enumerate(rows))
        starts = engines.start_lines(path, package["resources"][0])[1:]
        row_of = {line: row for row, line in enumerate(starts)}
        found = []
        for engine in (engines.product, engines.standard):
            answer = engine(folder, {"essais": FILE}, described)
            if answer.faults:
                raise AssertionError("%s: %s" % (engine.__name__, answer.faults))
            by_row = [set() for _ in rows]
            for line, field, error in answer.of("essais"):
                by_row[row_of[line]].add((field, error))
            found.append(by_row)
        return found


class Values(unittest.TestCase):
    """One text a record, all other fields missing."""

    def test_every_type(self):
        """The engines agree on each text but for the differences decided."""
        wanted = [(field, text, decided) for field, texts in cases.BY_FIELD.items() for text, decided in texts]
        ours, theirs = ask(descriptor(cases.FIELDS), [{field: text} for field, text, _ in wanted])
        for (field, text, decided), mine, other in zip(wanted, ours, theirs):
            with self.subTest(field=field, text=text[:50]):
                if decided is cases.SAME:
                    self.assertEqual(mine, other)
                else:
                    self.assertNotEqual(mine, other, "no difference any more: " + decided)

    def test_both_sides_are_tried(self):
        """For each type some texts are good and some are not."""
        for field, texts in cases.BY_FIELD.items():
            ours, _ = ask(descriptor(cases.FIELDS), [{field: text} for text, decided in texts if decided is cases.SAME])
            self.assertTrue(any(ours), field)
            self.assertFalse(all(ours), field)

    def test_missing(self):
        """A required field that is missing breaks that rule alone, whatever its type."""
        fields = copy.deepcopy(cases.FIELDS)
        for field in fields:
            field.setdefault("constraints", {})["required"] = True
        # Two columns of one kind keep the record from being blank.
        ours, theirs = ask(descriptor(fields), [{}, {"entier": "x", "courriel": "x"}])
        self.assertEqual(ours, theirs)
        self.assertEqual(len(ours[0]), len(fields) - 1)

    def test_dialect(self):
        """A French spreadsheet: semicolons, decimal commas, Windows-1252."""
        fields = copy.deepcopy(cases.FIELDS)
        for field in fields:
            if field["type"] == "number":
                field["decimalChar"] = ","
        package = descriptor(fields, encoding="windows-1252", dialect={"delimiter": ";", "quoteChar": "'"})
        texts = [("nombre", text) for text in ("1,5", ",5", "5,", "-1,50", "1,5e3", "7", "1.5", "1,2,3", "1.234,5", ",", "1;5")]
        texts += [("borne", text) for text in ("-1,5", "-1,51", "9,999", "10,0", "1,0e1")]
        texts += [("longueur", text) for text in ("é", "éà", "€œ", "ÿŸž‡ñ", "ÿŸž‡ñŠ", "a;b", "l'eau", "\"a\"", "a\nb")]
        texts += [("jour", "2024-02-29"), ("jour", "29/02/2024")]
        ours, theirs = ask(package, [{field: text} for field, text in texts], encoding="windows-1252", delimiter=";", quote="'")
        for (field, text), mine, other in zip(texts, ours, theirs):
            with self.subTest(field=field, text=text):
                self.assertEqual(mine, other)
        self.assertEqual([bool(each) for each in ours[:11]], [False] * 6 + [True] * 5)


if __name__ == "__main__":
    unittest.main()
