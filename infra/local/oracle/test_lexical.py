"""The lexical forms, by example."""

import unittest

import lexical
from reading import Number


class Forms(unittest.TestCase):
    GOOD_AND_BAD = (
        (lexical.integer(), ("0", "-0", "+7", "007", "9223372036854775807", Number("5")), ("3.0", "1e3", " 1", "1 ", "+", "٣", "1_0", True, [1])),
        (lexical.number(), ("1", "-1.50", ".5", "5.", "1e3", "+1E-2", Number("2.5"), "1" * 38), ("1,5", "NaN", "INF", ".", "1e", "e5", "1 0", "1e38", "1" * 39, True)),
        (lexical.boolean, ("true", "True", "TRUE", "1", "false", "False", "FALSE", "0", True, False), ("tRUE", "yes", "2", Number("1"))),
        (lexical.date, ("2024-02-29", "0001-01-01", "9999-12-31"), ("2023-02-29", "2024-1-1", "20240101", "0000-01-01", "2024-01-01 ", Number("2024"))),
        (
            lexical.datetime_rfc3339,
            ("2024-10-07T00:00:00Z", "2024-10-07T23:59:59.123456789+23:59", "2024-10-07T10:15:30-00:00"),
            ("2024-10-07", "2024-10-07T10:15:30", "2024-10-07 10:15:30Z", "2024-10-07T10:15Z", "2024-10-07T24:00:00Z", "2024-10-07T10:15:60Z",
             "2024-10-07T10:15:30+0200", "2024-10-07T10:15:30.Z", "2024-10-07T10:15:30,5Z", "2023-02-29T10:15:30Z", "2024-10-07T10:15:30+24:00"),
        ),
        (lexical.name, ("Zoé", "Zoe\u0301", "Le Goff", "李", "x" * 50, "é" * 50), ("Jean-Pierre", "O'Neil", "R2D2", "a\tb", "a\u00a0b", "é" * 51, "😀", Number("1"))),
        (lexical.email, ("a@b.fr", "a.b+c@x-y.z.example", "a@xn--bcher-kva.example"), ("a", "a@b", "@b.fr", "a@@b.fr", "a@b@c.fr", "a b@c.fr", "a@b..fr", "a@-b.fr", "a@b.fr\n", "é@b.fr")),
        (lexical.nif, ("0123456789",), ("123456789", "12345678901", "123456789a", "１２３４５６７８９０", Number("1234567890"))),
        (lexical.phone, ("+12345678", "+123456789012345"), ("12345678", "+1234567", "+1234567890123456", "+33 612345678")),
        (lexical.country, ("FR", "RE", "SS"), ("fr", "UK", "XX", "EU", "FRA", "AN")),
        (
            lexical.iban,
            ("FR7630006000011234567890189", "DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"),
            ("FR7630006000011234567890188", "fr7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189", "FR76", "7630006000011234567890189"),
        ),
        (lexical.string(3), ("abc", "ééé", "   "), ("abcd", Number("1"), True)),
        (lexical.choice(("a", "b")), ("a",), ("A", "c", "a ")),
    )

    def test_forms(self):
        for check, good, bad in self.GOOD_AND_BAD:
            for value in good:
                with self.subTest(value):
                    self.assertFalse(check(value))
            for value in bad:
                with self.subTest(value):
                    self.assertTrue(check(value))

    def test_rules(self):
        for check, value, rules in (
            (lexical.integer(minimum=1), "0", ["minimum"]),
            (lexical.integer(minimum=1), "9223372036854775808", ["maximum"]),
            (lexical.integer(), "-9223372036854775809", ["minimum"]),
            (lexical.integer(), "1" + "0" * 5000, ["maximum"]),
            (lexical.integer(minimum=1, bounded=False), "1" + "0" * 5000, []),
            (lexical.integer(above=0, bounded=False), "-1" + "0" * 5000, ["exclusiveMinimum"]),
            (lexical.integer(above=0), "0", ["exclusiveMinimum"]),
            (lexical.integer(above=0), "-9223372036854775809", ["exclusiveMinimum"]),
            (lexical.number(minimum=0), "-1e-9", ["minimum"]),
            (lexical.number(above=0), "0.00", ["exclusiveMinimum"]),
            (lexical.number(minimum=0), "-0", []),
            (lexical.name, "1" * 51, ["maxLength", "pattern"]),
        ):
            with self.subTest(value[:30]):
                self.assertEqual(list(check(value)), rules)

    def test_canonical(self):
        for texts in (("7", "+7", "007"), ("0", "-0", "+00"), ("-5", "-005"), ("9" * 30, "+00" + "9" * 30), ("9" * 60, "0" + "9" * 60)):
            self.assertEqual(len({lexical.canonical_integer(text) for text in texts}), 1, texts)
        self.assertNotEqual(lexical.canonical_integer("9" * 60), lexical.canonical_integer("-" + "9" * 60))

    def test_countries(self):
        self.assertEqual(len(lexical.COUNTRIES), 249)


if __name__ == "__main__":
    unittest.main()
