"""The lexical forms, by example."""

import unittest

import lexical
from reading import Number


class Forms(unittest.TestCase):
    GOOD_AND_BAD = (
        (lexical.integer(), ("0", "-0", "+7", "007", "9223372036854775807", Number("5")), ("3.0", "1e3", " 1", "1 ", "+", "٣", "1_0", True, [1])),
        (lexical.number(), ("1", "-1.50", ".5", "5.", "1e3", "+1E-2", Number("2.5"), "1" * 38), ("1,5", "NaN", "INF", ".", "1e", "e5", "1 0", "1e38", "1" * 39, True)),
        (lexical.boolean, ("true", "True", "TRUE", "1", "false", "False", "FALSE", "0", True, False), ("tRUE", "yes", "2", Number("1"))),
        (lexical.date(), ("2024-02-29", "1900-01-01", "2100-01-01"), ("2023-02-29", "2024-1-1", "20240101", "0000-01-01", "2024-01-01 ", Number("2024"),
                                                                     "1899-12-31", "0001-01-01", "2100-01-02", "9999-12-31")),
        (lexical.date("1700-01-01"), ("1700-01-01",), ("1699-12-31",)),
        (
            lexical.datetime_rfc3339,
            ("2024-10-07T00:00:00Z", "2024-10-07T23:59:59.123456789+23:59", "2024-10-07T10:15:30-00:00", "1900-01-01T00:00:00Z", "2100-01-01T23:59:59.999Z",
             "1899-12-31T23:59:59-00:01"),
            ("2024-10-07", "2024-10-07T10:15:30", "2024-10-07 10:15:30Z", "2024-10-07T10:15Z", "2024-10-07T24:00:00Z", "2024-10-07T10:15:60Z",
             "2024-10-07T10:15:30+0200", "2024-10-07T10:15:30.Z", "2024-10-07T10:15:30,5Z", "2023-02-29T10:15:30Z", "2024-10-07T10:15:30+24:00",
             "1900-01-01T00:00:00+00:01", "2100-01-02T00:00:00Z", "9999-12-31T23:59:59.9999999Z"),
        ),
        (lexical.name, ("Zoé", "Zoe\u0301", "Le Goff", " Le  Goff ", "李", "x" * 50, "é" * 50, "e\u0301" * 50, "a\u00a0b", "a\u202fb", "山田\u3000太郎", "क्\u200dष", "می\u200cنا",
                         "র\u200d্যাব"),
         ("Jean-Pierre", "O'Neil", "R2D2", "a\tb", "é" * 51, "😀", Number("1"), "\u0301a", "a \u0301b", "a\u200d", "\u200da", "a\u200b", "a\u202eb", "\ufeffa", "a\u2028b",
          "\u0958" * 26)),
        (lexical.email, ("a@b.fr", "a.b+c@x-y.z.example", "a@xn--bcher-kva.example", "é@b.fr", "a@münchen.example", "用户@例子.公司", "x" * 64 + "@b.fr", "e\u0301" * 64 + "@b.fr",
                          "a@" + ("é" * 61 + ".") * 4 + "fr"), ("a", "a@b", "@b.fr", "a@@b.fr", "a@b@c.fr", "a b@c.fr", "a@b..fr", "a@-b.fr", "a@b.fr\n", "x" * 65 + "@b.fr", "é" * 65 + "@b.fr",
                          "ab@" + "xyz." + ("é" * 61 + ".") * 4 + "fr", "a@" + "é" * 64 + ".fr", "\u0301a@b.fr", "a@１.fr", "a\u00a0@b.fr", "a\u200d@b.fr")),
        (lexical.nif, ("0123456789",), ("123456789", "12345678901", "123456789a", "１２３４５６７８９０", Number("1234567890"))),
        (lexical.phone, ("+12345678", "+123456789012345"), ("12345678", "+1234567", "+1234567890123456", "+33 612345678")),
        (lexical.country, ("FR", "RE", "SS"), ("fr", "UK", "XX", "EU", "FRA", "AN")),
        (
            lexical.iban,
            ("FR7630006000011234567890189", "DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"),
            ("FR7630006000011234567890188", "fr7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189", "FR76", "7630006000011234567890189"),
        ),
        (lexical.string(3), ("abc", "ééé", "   ", "e\u0301" * 3, "a\tb", "a\r\n", "a\x85b"), ("abcd", Number("1"), True, "a\x08", "\x7f", "a\x0b", "\x80", "\ufffd")),
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
            (lexical.name, "a\tb", ["pattern", "characters"]),
            (lexical.nif, "0123456789\n", ["pattern", "characters"]),
            (lexical.choice(("a",)), "a\n", ["enum", "characters"]),
            (lexical.iban, "FR7630006000011234567890189\n", ["iban_valid"]),
            (lexical.date(), "1899-12-31", ["minimum"]),
            (lexical.date(), "9999-12-31", ["maximum"]),
            (lexical.datetime_rfc3339, "0001-01-01T00:00:00Z", ["minimum"]),
            (lexical.datetime_rfc3339, "9999-12-31T23:59:59.9999994Z", ["maximum"]),
            (lexical.datetime_rfc3339, "9999-12-31T23:59:59.9999995Z", ["type"]),
            (lexical.datetime_rfc3339, "9999-12-31T23:59:59-00:01", ["type"]),
            (lexical.datetime_rfc3339, "0001-01-01T00:00:00+00:01", ["type"]),
        ):
            with self.subTest(value[:30]):
                self.assertEqual(list(check(value)), rules)

    def test_canonical(self):
        for texts in (("7", "+7", "007"), ("0", "-0", "+00"), ("-5", "-005"), ("9" * 30, "+00" + "9" * 30), ("9" * 60, "0" + "9" * 60)):
            self.assertEqual(len({lexical.canonical_integer(text) for text in texts}), 1, texts)
        self.assertNotEqual(lexical.canonical_integer("9" * 60), lexical.canonical_integer("-" + "9" * 60))

    def test_blank(self):
        for text in ("", " ", "\u00a0", "\u3000", "\ufeff", "\u200b\u2060", "\u202e", "\u00ad", "\u2800", "\u3164", "\t\r\n\x0b\x0c\x85", "\u2028", "\U000e0020", "\ufe0f"):
            self.assertTrue(lexical.is_blank(text), ascii(text))
        for text in ("a", " a", "\u200ba", "\x08", "\x1c", "\x00", "\ufffd", "\u0301", "\u0600", "."):
            self.assertFalse(lexical.is_blank(text), ascii(text))

    def test_long_numbers(self):
        """Zeros that mean nothing cost nothing, and change nothing."""
        zeros = "0" * 1_000_000
        for text, wanted in (("1" + zeros + "e-1000000", "1"), ("." + zeros + "1e1000001", "1"), (zeros + "7." + zeros, "7"), ("1e" + zeros + "2", "100"), (zeros, "0")):
            self.assertEqual(lexical.parse_number(text), int(wanted))
        for text in ("1" + zeros, "." + zeros + "1", "9" * 1_000_000, "1e" + "9" * 1_000_000, "1e-" + "9" * 1_000_000):
            self.assertIsNone(lexical.parse_number(text))

    def test_countries(self):
        self.assertEqual(len(lexical.COUNTRIES), 249)


if __name__ == "__main__":
    unittest.main()
