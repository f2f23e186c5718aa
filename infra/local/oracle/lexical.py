"""The lexical forms of the contracts' types, each read in one place.

A check takes a text that is not empty and returns the names of the rules that
it breaks, none when it is good. Numbers are exact decimals throughout.
"""

import datetime
import re
import unicodedata
from decimal import Decimal, InvalidOperation

from countries import COUNTRIES
from reading import Number

GOOD = ()
TYPE = ("type",)
IBAN_VALID = ("iban_valid",)

INT64_MAX = 9223372036854775807
INT64_MIN = -9223372036854775808

# Digits on each side of the decimal point that a number may have, zeros that
# mean nothing not counted: those of SQL's widest portable numeric. The contracts
# name no bound.
MAX_DIGITS = 38

INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
ZERO = re.compile(r"[+-]?[0.]+(?:[eE].*)?", re.ASCII)
DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)
TRUE = frozenset(("true", "True", "TRUE", "1"))
FALSE = frozenset(("false", "False", "FALSE", "0"))

EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+",
    re.ASCII,
)
NIF = re.compile(r"[0-9]{10}", re.ASCII)
PHONE = re.compile(r"\+[0-9]{8,15}", re.ASCII)
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}", re.ASCII)
ASCII_NAME = re.compile(r"[A-Za-z ]+", re.ASCII)


def canonical_integer(text):
    """One value for one integer: 7, +7 and 007 are the same; any length."""
    if len(text) < 19:
        return int(text)
    digits = text.lstrip("+-").lstrip("0") or "0"
    if len(digits) > 40:  # beyond every bound: text serves as well
        return ("-" if text[0] == "-" else "") + digits
    return -int(digits) if text[0] == "-" else int(digits)


def fits(number):
    """Tells whether a canonical integer fits in signed 64 bits."""
    return isinstance(number, int) and INT64_MIN <= number <= INT64_MAX


def is_integer(value):
    """Integers are text or JSON numbers, digits with an optional sign."""
    if not isinstance(value, str):
        return False
    return (value.isdecimal() and value.isascii()) or INTEGER.fullmatch(value) is not None


def parse_number(value):
    """Returns the exact decimal, or None when the text is no number."""
    if not isinstance(value, str) or NUMBER.fullmatch(value) is None:
        return None
    if ZERO.fullmatch(value):
        return Decimal(0)
    try:
        parsed = Decimal(value)
    except InvalidOperation:  # an exponent beyond all bounds
        return None
    if (len(value) > 18 or "e" in value or "E" in value) and not is_bounded(parsed):
        return None
    return parsed


def is_bounded(parsed):
    """Tells whether a number keeps to MAX_DIGITS on each side of its point."""
    _, digits, exponent = parsed.as_tuple()
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return parsed.adjusted() < MAX_DIGITS and -(exponent + trailing) <= MAX_DIGITS


def parse_boolean(value):
    """Returns True or False, or None when the value is neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Number) or not isinstance(value, str):
        return None
    if value in TRUE:
        return True
    return False if value in FALSE else None


known_dates = {}


def is_date(text):
    """Tells whether the text is a day on the calendar, as YYYY-MM-DD."""
    known = known_dates.get(text)
    if known is not None:
        return known
    match = DATE.fullmatch(text)
    good = False
    if match:
        try:
            datetime.date(*map(int, match.groups()))
            good = True
        except ValueError:
            good = False
    if len(known_dates) < 100_000:
        known_dates[text] = good
    return good


def is_text(value):
    """Tells whether the value is text, not a JSON number or another kind."""
    return isinstance(value, str) and not isinstance(value, Number)


def integer(minimum=None, above=None, bounded=True):
    """Makes a check of integers; bounded ones fit in signed 64 bits."""

    def check(value):
        if not is_integer(value):
            return TYPE
        number = canonical_integer(value)
        if isinstance(number, str):
            number = int(number[:40])  # still beyond every bound, on the same side
        if bounded and number > INT64_MAX:
            return ("maximum",)
        if above is not None and number <= above:
            return ("exclusiveMinimum",)
        if (bounded and number < INT64_MIN) or (minimum is not None and number < minimum):
            return ("minimum",)
        return GOOD

    return check


def number(minimum=None, above=None):
    """Makes a check of exact decimals."""

    def check(value):
        parsed = parse_number(value)
        if parsed is None:
            return TYPE
        if minimum is not None and parsed < minimum:
            return ("minimum",)
        if above is not None and parsed <= above:
            return ("exclusiveMinimum",)
        return GOOD

    return check


def boolean(value):
    """Checks the words for true and false."""
    return TYPE if parse_boolean(value) is None else GOOD


def date(value):
    """Checks a calendar day."""
    return GOOD if is_text(value) and is_date(value) else TYPE


def datetime_rfc3339(value):
    """Checks an RFC 3339 time with its zone; a leap second is refused."""
    if not is_text(value):
        return TYPE
    match = DATETIME.fullmatch(value)
    return GOOD if match and is_date(match.group(1)) else TYPE


def string(longest=None, form=None, rule="pattern"):
    """Makes a check of text: at most longest code points, and of a form."""

    def check(value):
        if not is_text(value):
            return TYPE
        broken = []
        if longest is not None and len(value) > longest:
            broken.append("maxLength")
        if form is not None and form.fullmatch(value) is None:
            broken.append(rule)
        return broken

    return check


def choice(words):
    """Makes a check of an enumeration."""
    words = frozenset(words)

    def check(value):
        if not is_text(value):
            return TYPE
        return GOOD if value in words else ("enum",)

    return check


def name(value):
    """Checks a person's name: letters, their marks and spaces, at most 50."""
    if not is_text(value):
        return TYPE
    broken = []
    if len(value) > 50:
        broken.append("maxLength")
    if ASCII_NAME.fullmatch(value) is None and not all(
        letter == " " or unicodedata.category(letter)[0] in "LM" for letter in value
    ):
        broken.append("pattern")
    return broken


def iban(value):
    """Checks the form of ISO 13616, then its check digits (ISO 7064 mod 97)."""
    if not is_text(value):
        return TYPE
    if IBAN.fullmatch(value) is None:
        return IBAN_VALID
    digits = "".join(str(int(letter, 36)) for letter in value[4:] + value[:4])
    return GOOD if int(digits) % 97 == 1 else IBAN_VALID


email = string(form=EMAIL, rule="format")
nif = string(form=NIF)
phone = string(form=PHONE)
country = choice(COUNTRIES)
