"""Rules between records and between files, on files small enough to read."""

import contextlib
import io
import json
import os
import tempfile
import unittest

import contract
import oracle

# One sound record a file; the tests add to it.
SOUND = {
    "supplier_data": ["1,Comptoir,contact@exemple.fr,"],
    "category_data": ["1,Maison,"],
    "product_data": ["1,Lampe,1,1,0.125,EUR,true"],
    "store_data": ["1,Lyon,Lyon,FR,2001-01-01"],
    "client_data": ["1,Zoé,Martin,zoe@exemple.fr,0000000001,,,,Lyon,FR,2024-01-01T00:00:00Z"],
    "sales_data": ["1,1,1,1,1,0.125,0.13,2024-10-07,web"],
    "stock_data": ["1,1,0,2024-01-01T00:00:00Z"],
    "payment_data": ["1,1,0.13,carte,,2024-10-07T10:00:00Z"],
    "return_data": ["1,1,1,autre,2024-10-07"],
    "employee_data": ["1,Zoé,Martin,zoe@exemple.fr,0000000001,1,2020-01-01,"],
}


class Folder(unittest.TestCase):
    def setUp(self):
        self.folders = contextlib.ExitStack()
        self.addCleanup(self.folders.close)

    def folder(self, date="20241007", **changes):
        """Writes the ten files; changes replace the records of a file."""
        path = self.folders.enter_context(tempfile.TemporaryDirectory())
        for name, records in {**SOUND, **changes}.items():
            header = ",".join(contract.PREFIXES[name].columns)
            with open(os.path.join(path, f"{name}_{date}.csv"), "w", encoding="utf-8") as file:
                file.write("\n".join([header, *records]) + "\n")
        return path

    def rejects(self, path, prior=()):
        """Returns {(resource, line): errors} of a folder."""
        results = oracle.judge(path, prior)
        return {
            (name, reject["line"]): [tuple(error) for error in reject["errors"]]
            for name, result in results.items()
            for reject in result["rejects"]
        }

    def test_sound(self):
        self.assertEqual(self.rejects(self.folder()), {})

    def test_duplicates(self):
        client = SOUND["client_data"][0]
        path = self.folder(
            client_data=[
                client,
                client.replace("1,", "+001,", 1).replace("0000000001", "0000000002"),
                client.replace("1,", "3,", 1),
                client.replace("1,Zoé", "4,", 1).replace("0000000001", "0000000004"),
                client.replace("1,", "4,", 1).replace("0000000001", "0000000005"),
            ],
            stock_data=["1,1,5,2024-01-01T00:00:00Z", "+1,01,5,2024-01-01T00:00:00Z"],
        )
        self.assertEqual(
            self.rejects(path),
            {
                ("clients", 3): [("client_id", "primaryKey")],
                ("clients", 4): [("nif", "unique")],
                ("clients", 5): [("first_name", "required")],
                ("clients", 6): [("client_id", "primaryKey")],
                ("stocks", 3): [("product_id,store_id", "primaryKey")],
            },
        )

    def test_cascade(self):
        path = self.folder(category_data=["1,,", "2,Jardin,1", "3,Été,2", "4,Seule,"])
        missing = "foreignKey"
        self.assertEqual(
            self.rejects(path),
            {
                ("categories", 2): [("name", "required")],
                ("categories", 3): [("parent_category_id", missing)],
                ("categories", 4): [("parent_category_id", missing)],
                ("produits", 2): [("category_id", missing)],
                ("ventes", 2): [("product_id", missing)],
                ("stocks", 2): [("product_id", missing)],
                ("paiements", 2): [("sale_id", missing)],
                ("retours", 2): [("sale_id", missing)],
            },
        )

    def test_cycle(self):
        path = self.folder(category_data=["1,a,", "2,b,3", "3,c,4", "4,d,2", "5,e,4", "6,f,6", "7,g,1", "2,h,1"])
        cycle = [("parent_category_id", "cycle")]
        self.assertEqual(
            self.rejects(path),
            {
                ("categories", 3): cycle,
                ("categories", 4): cycle,
                ("categories", 5): cycle,
                ("categories", 6): [("parent_category_id", "foreignKey")],
                ("categories", 7): cycle,
                ("categories", 9): [("category_id", "primaryKey")],
            },
        )

    def test_broken_cycle(self):
        # A reject is nobody's parent, so it breaks the cycle that it stands on.
        path = self.folder(category_data=["1,a,", "2,,3", "3,c,4", "4,d,2", "5,e,2"])
        missing = ("parent_category_id", "foreignKey")
        self.assertEqual(
            self.rejects(path),
            {
                ("categories", 3): [("name", "required"), missing],
                ("categories", 4): [missing],
                ("categories", 5): [missing],
                ("categories", 6): [missing],
            },
        )

    def test_deep_trees(self):
        # Neither recursion nor a look at the whole file for each level.
        size = 50000
        for name, parent in (
            ("foreignKey", lambda n: n + 1),
            ("foreignKey", lambda n: n - 1),
            ("cycle", lambda n: n % size + 1),
            ("foreignKey", lambda n: max(n - 1, 1)),
        ):
            path = self.folder(category_data=["%d,x,%d" % (n, parent(n)) for n in range(1, size + 1)])
            rejects = [rules for (file, _), rules in self.rejects(path).items() if file == "categories"]
            self.assertEqual(len(rejects), size)
            self.assertGreaterEqual(rejects.count([("parent_category_id", name)]), size - 1)

    def test_record_rules(self):
        payment = SOUND["payment_data"][0]
        path = self.folder(
            client_data=[SOUND["client_data"][0].replace(",,,,", ",,2024-10-08,,")],
            sales_data=[
                "1,1,1,1,3,0.005,0.02,2024-10-07,web",
                "2,1,1,1,1,0.125,0.12,2024-10-07,web",
                "3,1,1,1,2,1e-2,2e-2,2024-10-08,web",
            ],
            payment_data=[payment.replace("carte", "virement"), payment.replace("1,1,", "2,7,", 1)],
            employee_data=[SOUND["employee_data"][0] + "2019-12-31"],
        )
        self.assertEqual(
            self.rejects(path),
            {
                ("clients", 2): [("birth_date", "birth_date_not_after_file")],
                ("ventes", 2): [("client_id", "foreignKey")],
                ("ventes", 3): [("amount", "amount_equals_product"), ("client_id", "foreignKey")],
                ("ventes", 4): [("client_id", "foreignKey"), ("sale_date", "sale_date_not_after_file")],
                ("paiements", 2): [("iban", "iban_required"), ("sale_id", "foreignKey")],
                ("paiements", 3): [("sale_id", "foreignKey")],
                ("retours", 2): [("sale_id", "foreignKey")],
                ("employes", 2): [("left_on", "left_on_not_before_hired_on")],
            },
        )

    def test_prior(self):
        first = self.folder(sales_data=["1,1,1,1,3,0.125,0.38,2024-10-07,web", "2,1,1,1,0,1,0,2024-10-07,web"])
        later = self.folder(
            date="20241008",
            client_data=[SOUND["client_data"][0].replace("1,", "2,", 1)],
            sales_data=["9,1,1,1,1,1,1,2024-10-08,web", "1,1,1,1,2,0.125,0.25,2024-10-07,web"],
            return_data=["1,1,2,autre,2024-10-08", "2,1,3,autre,2024-10-08", "3,2,1,autre,2024-10-08"],
        )
        self.assertEqual(
            self.rejects(later, [first]),
            {
                ("retours", 3): [("quantity", "quantity_at_most_sold")],
                ("retours", 4): [("sale_id", "foreignKey")],
            },
        )
        self.assertIn(("ventes", 2), self.rejects(later))

    def test_returns_together(self):
        over = [("quantity", "quantity_at_most_sold")]
        first = self.folder(
            sales_data=["1,1,1,1,5,1,5,2024-10-07,web"],
            return_data=[
                "1,1,2,autre,2024-10-07",
                "2,1,9,autre,2024-10-07",
                "3,1,4,autre,2024-10-07",
                "4,1,1,panne,2024-10-07",
                "5,1,1,autre,2024-10-07",
            ],
        )
        self.assertEqual(
            self.rejects(first),
            {("retours", 3): over, ("retours", 4): over, ("retours", 5): [("reason", "enum")]},
        )
        # Three are back; the first return grows to four, and takes all there is.
        later = self.folder(
            date="20241008",
            sales_data=["9,1,1,1,1,1,1,2024-10-08,web"],
            return_data=[
                "7,1,3,autre,2024-10-08",
                "1,1,4,autre,2024-10-08",
                "8,1,1,autre,2024-10-08",
                "5,1,1,erreur,2024-10-08",
            ],
        )
        found = self.rejects(later, [first])
        self.assertEqual(
            {each: found[each] for each in found if each[0] == "retours"},
            {("retours", 2): over, ("retours", 4): over},
        )

    def test_reference_tables_have_no_past(self):
        later = self.folder(date="20241008", store_data=["2,Paris,Paris,FR,2001-01-01"])
        self.assertIn(("ventes", 2), self.rejects(later, [self.folder()]))

    def test_faulty_files(self):
        path = self.folder(client_data=[], return_data=[])
        os.remove(os.path.join(path, "store_data_20241007.csv"))
        results = oracle.judge(path)
        self.assertEqual(results["clients"]["fault"], "empty")
        self.assertEqual(results["magasins"]["fault"], "missing")
        self.assertEqual((results["retours"]["read"], results["retours"]["rejected"]), (0, 0))

    def test_command(self):
        path = self.folder(sales_data=["+1,001,1,1,1,0.1250,13e-2,2024-10-07,web", "x"])
        values = os.path.join(path, "values.jsonl")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            status = oracle.main([path, "--values", values])
        self.assertEqual(status, 0)
        sales = json.loads(out.getvalue())["files"]["ventes"]
        self.assertEqual((sales["read"], sales["valid"], sales["rejected"]), (2, 1, 1))
        self.assertEqual(sales["rejects"], [{"line": 3, "errors": [["", "fields"]]}])
        with open(values, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        sale = next(each for each in records if each["resource"] == "ventes")
        self.assertEqual(len(records), 10)
        self.assertEqual((sale["line"], sale["key"]), (2, ["1"]))
        self.assertEqual((sale["values"]["amount"], sale["target"]["sale_amount"]), ("13e-2", "0.13"))
        self.assertEqual((sale["target"]["sale_id"], sale["target"]["client_id"]), ("1", "001"))
        self.assertEqual(sale["target"]["unit_price"], "0.125")


if __name__ == "__main__":
    unittest.main()
