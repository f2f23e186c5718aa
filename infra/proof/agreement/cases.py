"""Texts at the edges of each type, and what the engines say of them.

Each case is a text and the name of the decided difference, None where the two
engines must agree.
"""

import differences as d

SAME = None


def cases(*same, **different):
    """Returns (text, difference) pairs; different is difference="text|text"."""
    found = [(text, SAME) for text in same]
    for name, texts in different.items():
        found += [(text, getattr(d, name)) for text in texts]
    return found


INTEGER = cases(
    "0", "7", "+7", "-7", "007", "-0", "+0", "3.0", "1e3", "1 000", "--7", "+-7", "+", "-", "0x10", "true", "NaN", "1,5", "1.", "seven",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 40, "-" + "1" * 400,
    DIGITS=["٣", "7٣", "９"], SPACES=[" 7", "7 ", "\t7", "7\u00a0"], UNDERSCORES=["1_000"])

NUMBER = cases(
    "0", "1.5", ".5", "5.", "-.5", "+1.50", "1e3", "1E-3", "1e+3", "-0", "-0.0", "0e999999999", "9" * 38, "1e37", "0." + "0" * 37 + "1", "1." + "0" * 99,
    "1.5e", "e5", "1e", "1 000", "1,000", "1.000,5", "$5", "5%", "1,5", "--1", "1.5.2", "1.5e2.5", "0x1p3", "one",
    LIMITS=["1e1000", "1e-1000", "1e38", "9" * 39, "0." + "0" * 38 + "1"],
    NOT_FINITE=["NaN", "nan", "INF", "-INF", "Infinity", "sNaN"],
    DIGITS=["٣", "１.５"], SPACES=[" 1.5", "1.5 "], UNDERSCORES=["1_000"])

BOOLEAN = cases(
    "true", "True", "TRUE", "1", "false", "False", "FALSE", "0",
    "tRue", "yes", "no", "oui", "non", "t", "f", "vrai", " true", "true ", "01", "1.0", "-1", "null")

DATE = cases(
    "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "1900-01-01", "2100-01-01", "0000-01-01", "10000-01-01", "2024-13-01", "2024-00-10",
    "2024-04-31", "2024-04-00", "24-01-05", "20240105", "2024/01/05", "05/01/2024", "2024-01-05T00:00:00Z", "2024-W01-1", "2024-005", " 2024-01-05",
    "2024-01-05 ", "-2024-01-05", "+2024-01-05", "today",
    DATES=["0001-01-01", "1899-12-31", "2100-01-02", "9999-12-31"],
    SHORT_DATES=["2024-1-5", "2024-01-5", "2024-1-05"], DIGITS=["２０２４-01-05"])

DATETIME = cases(
    "2024-10-08T09:30:00Z", "2024-10-08T09:30:00+02:00", "2024-10-08T09:30:00-00:00", "2024-10-08T09:30:00.5Z", "2024-10-08T09:30:00.123456789Z",
    "2024-10-08T09:30:00+23:59", "2024-10-08T09:30:60Z", "2024-10-08", "2024-10-08T25:00:00Z", "2024-10-08T09:60:00Z", "2024-02-30T00:00:00Z",
    "2024-10-08T09:30:00+24:00", "2024-10-08T09:30:00.Z", " 2024-10-08T09:30:00Z", "2024-10-08T09:30:00Z ", "1900-01-01T00:00:00Z",
    "2100-01-01T23:59:59.999999Z", "08/10/2024 09:30", "now",
    DATES=["0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "2100-01-02T00:00:00Z", "9999-12-31T23:59:59Z"],
    LAST_YEAR=["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"],
    TIMES=["2024-10-08T09:30:00", "2024-10-08T24:00:00Z", "2024-10-08 09:30:00Z", "2024-10-08t09:30:00z", "2024-10-08T09:30:00+0200",
           "2024-10-08T09:30:00,5Z", "2024-W01-1T00:00:00Z"])

# String of 2 to 5 characters.
LENGTH = cases("a", "ab", "abcde", "abcdef", "éé", "e\u0301e", "😀", "😀😀😀😀😀", "😀😀😀😀😀😀", " a", "NULL", "null", "NA", "None", "a\nb", "a\tb", "a\r\nb", "a\u0085b", "a\u2028b", "\u200ba", 'a"b',
               BLANK_TEXT=[" ", "\u00a0", "\ufeff", "\u3164", "\u202e", "\u2800", "\t"],
               LENGTHS=["e\u0301" * 5, "e\u0301" * 3, "e\u0301", "\u0958" * 3, "\u1112\u1161\u11ab" * 5],
               CHARACTERS=["a\x08b", "a\x1b", "a\x0b", "a\x0c", "a\x7f", "a\x80", "a\x9f", "a\ufffd"])

# String of the pattern [0-9]{3}.
PATTERN = cases("123", "1234", "12", "a123", "123 ", " 123", "١٢٣", BLANK_TEXT=[" "], CHARACTERS=["12\t"])

# String, one of "a" and "b c".
ENUM = cases("a", "A", " a", "b c", "b  c", "c", "ab", "a|b c", BLANK_TEXT=["\u00a0"], CHARACTERS=["a\x08"])

EMAIL = cases(
    "a@b.fr", "A@B.FR", "a+b@c.fr", "o'x@b.fr", "a@b.museum", "a@b-c.fr", "a@b", "@b.fr", "a@", "a", "a b@c.fr", "a@b..fr", '"a b"@c.fr', "a@[1.2.3.4]",
    "a@-b.fr", "a@b-.fr", "a@localhost", "a@" + "x" * 64 + ".fr", " a@b.fr", "a@b.fr ", "a@b_c.fr", "a@b.fr.", "a@@b.fr", "a,b@c.fr", "a@b,fr",
    "é@b.fr", "a@é.fr", "x" * 64 + "@b.fr", "x" * 65 + "@b.fr", "é" * 64 + "@b.fr", "a@例子.公司", "a@" + "é" * 50 + ".fr", "a\u200d@b.fr", "１@b.fr",
    "ab@" + ("x" * 62 + ".") * 3 + "y" * 59 + ".fr",
    EMAIL_LETTERS=["用户@b.fr", "e\u0301@b.fr", "a@１.fr", "a@b\u200d.fr"],
    EMAIL_LENGTH=["abc@" + ("x" * 62 + ".") * 3 + "y" * 59 + ".fr", "a@" + "é" * 63 + ".fr"],
    EMAIL_LOCAL=["a.@b.fr", ".a@b.fr", "a..b@c.fr"],
    EMAIL_DOMAIN=["a@b.f", "a@b.c1", "a@1.2.3.4"])

# Number of at least -1.5 and below 10.
BOUNDED = cases("-1.5", "-1.50", "-1.51", "-15e-1", "-1.500000000000000000000000000001", "10", "10.0", "1e1", "9.999", "9." + "9" * 30, "1e-30", "-2")

# Integer from -5 to 5, the upper one excluded.
BOUNDED_INTEGER = cases("-5", "-6", "5", "4", "+04", "9" * 30, "-" + "9" * 30)

BY_FIELD = {
    "entier": INTEGER, "nombre": NUMBER, "booleen": BOOLEAN, "jour": DATE, "instant": DATETIME, "longueur": LENGTH, "motif": PATTERN,
    "liste": ENUM, "courriel": EMAIL, "borne": BOUNDED, "borne_entiere": BOUNDED_INTEGER,
}

FIELDS = [
    {"name": "ligne", "type": "integer", "constraints": {"required": True, "minimum": 1, "maximum": 9223372036854775807}},
    # Sensitive, so that its size has no bound.
    {"name": "entier", "type": "integer", "etl:sensitive": "C"},
    {"name": "nombre", "type": "number"},
    {"name": "booleen", "type": "boolean"},
    {"name": "jour", "type": "date"},
    {"name": "instant", "type": "datetime"},
    {"name": "longueur", "type": "string", "constraints": {"minLength": 2, "maxLength": 5}},
    {"name": "motif", "type": "string", "constraints": {"pattern": "[0-9]{3}"}},
    {"name": "liste", "type": "string", "constraints": {"enum": ["a", "b c"]}},
    {"name": "courriel", "type": "string", "format": "email"},
    {"name": "borne", "type": "number", "constraints": {"minimum": -1.5, "exclusiveMaximum": 10}},
    {"name": "borne_entiere", "type": "integer", "etl:sensitive": "C", "constraints": {"minimum": -5, "exclusiveMaximum": 5}},
]
