"""The lexical forms of the contracts' types, each read in one place.

A check takes a text that is not empty and returns the names of the rules that
it breaks, none when it is good. Numbers are exact decimals throughout.
"""

import datetime
import re
import unicodedata
from decimal import Decimal

from countries import COUNTRIES
from reading import Number

GOOD = ()
TYPE = ("type",)
CHARACTERS = "characters"
IBAN_VALID = ("iban_valid",)

INT64_MAX = 9223372036854775807
INT64_MIN = -9223372036854775808

# Digits on each side of the decimal point that a number may have, zeros that
# mean nothing not counted: those of SQL's widest portable numeric. The contracts
# name no bound.
MAX_DIGITS = 38

INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
NUMBER = re.compile(r"([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]+))?", re.ASCII)
DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]+))?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))",
    re.ASCII,
)
TRUE = frozenset(("true", "True", "TRUE", "1"))
FALSE = frozenset(("false", "False", "FALSE", "0"))

NIF = re.compile(r"[0-9]{10}", re.ASCII)
PHONE = re.compile(r"\+[0-9]{8,15}", re.ASCII)
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}", re.ASCII)
ASCII_NAME = re.compile(r" *[A-Za-z]+(?: +[A-Za-z]+)* *", re.ASCII)
PLAIN = re.compile(r"[ -~]*", re.ASCII)

# Where days lie unless a column says more.
FIRST_DAY = "1900-01-01"
LAST_DAY = "2100-01-01"

# The parts of an address: characters of ASCII beside letters and digits, and how
# many characters each may have.
LOCAL_SIGNS = frozenset(".!#$%&'*+/=?^_`{|}~-")
LONGEST_LOCAL = 64
LONGEST_LABEL = 63
LONGEST_ADDRESS = 254

# Unicode's property White_Space.
WHITE = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    map(chr, range(0x2000, 0x200B))
)
# Format characters (category Cf) that do leave ink.
INKED = frozenset(
    map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD))
) | frozenset(map(chr, range(0x13430, 0x13460)))
# Characters of other categories that leave none: joiners and fillers, selectors of
# variants, what Unicode keeps free for such, and the blank of Braille.
INKLESS = (
    frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0")
    | frozenset(map(chr, range(0x180B, 0x1810)))
    | frozenset(map(chr, range(0xFE00, 0xFE10)))
    | frozenset(map(chr, range(0xFFF0, 0xFFF9)))
    | frozenset(map(chr, range(0xE0000, 0xE1000)))
)
JOINERS = frozenset("\u200c\u200d")
# Controls that lay out free text.
LAYOUT = frozenset("\t\n\r\x85")


def canonical_integer(text):
    """One value for one integer: 7, +7 and 007 are the same; any length."""
    if len(text) < 19:
        return int(text)
    digits = text.lstrip("+-").lstrip("0") or "0"
    if len(digits) > 40:  # beyond every bound: text serves as well
        return ("-" if text[0] == "-" else "") + digits
    return -int(digits) if text[0] == "-" else int(digits)


def fits(number):
    """Returns whether a canonical integer fits in signed 64 bits."""
    return isinstance(number, int) and INT64_MIN <= number <= INT64_MAX


def is_integer(value):
    """Integers are text or JSON numbers, digits with an optional sign."""
    if not isinstance(value, str):
        return False
    return (value.isdecimal() and value.isascii()) or INTEGER.fullmatch(value) is not None


def parse_number(value):
    """Returns the exact decimal, or None when the text is no number.

    Zeros at either end are taken off the text before anything is computed, so a
    number costs the same however many there are.
    """
    if not isinstance(value, str):
        return None
    match = NUMBER.fullmatch(value)
    if match is None:
        return None
    sign, whole, fraction, exponent_sign, exponent = (part or "" for part in match.groups())
    digits = (whole + fraction).rstrip("0")
    power = len(whole) - len(digits)  # of ten, that the digits are multiplied by
    digits = digits.lstrip("0")
    if not digits:
        return Decimal(0)
    exponent = exponent.lstrip("0")
    if len(exponent) > 8:  # more than any text has digits
        return None
    power += int(exponent_sign + (exponent or "0"))
    if len(digits) + power > MAX_DIGITS or -power > MAX_DIGITS:
        return None
    return Decimal((int(sign == "-"), tuple(map(int, digits)), power))


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
    """Returns whether the text is a day on the calendar, as YYYY-MM-DD."""
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
    """Returns whether the value is text, not a JSON number or another kind."""
    return isinstance(value, str) and not isinstance(value, Number)


def is_blank(value):
    """Returns whether a text shows nothing: white space or invisible characters alone."""
    if value[:1].isascii() and value[:1].isprintable() and value[:1] not in ("", " "):
        return False
    return all(
        letter in WHITE
        or letter in INKLESS
        or (unicodedata.category(letter) == "Cf" and letter not in INKED)
        for letter in value
    )


def length(text):
    """Counts characters, a letter and its accent as one where Unicode has it."""
    return len(text) if text.isascii() else len(unicodedata.normalize("NFC", text))


def forbidden(text, allowed=frozenset()):
    """Returns whether a text holds a control character or U+FFFD."""
    if PLAIN.fullmatch(text):
        return False
    return any(
        letter == "\ufffd" or (unicodedata.category(letter) == "Cc" and letter not in allowed)
        for letter in text
    )


def moment_of(text):
    """Returns the day, counted from 0001-01-01 as 1, and second of a time in UTC.

    None when the text is no time, or one outside the years 1 to 9999, to which
    rounding to microseconds counts.
    """
    match = DATETIME.fullmatch(text)
    if match is None or not is_date(match.group(1)):
        return None
    clock = [int(match.group(place)) for place in (2, 3, 4)]
    seconds = clock[0] * 3600 + clock[1] * 60 + clock[2]
    if match.group(6):
        offset = int(match.group(7)) * 3600 + int(match.group(8)) * 60
        seconds += offset if match.group(6) == "-" else -offset
    day = datetime.date.fromisoformat(match.group(1)).toordinal()
    day, seconds = day + seconds // 86400, seconds % 86400
    last = datetime.date.max.toordinal()
    tail = (match.group(5) or "")[:7].ljust(7, "0")
    if day < 1 or day > last or (day == last and seconds == 86399 and tail >= "9999995"):
        return None
    return day, seconds


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


def date(first=FIRST_DAY, last=LAST_DAY):
    """Makes a check of calendar days between two."""

    def check(value):
        if not is_text(value) or not is_date(value):
            return TYPE
        if value < first:
            return ("minimum",)
        return ("maximum",) if value > last else GOOD

    return check


FIRST_ORDINAL = datetime.date.fromisoformat(FIRST_DAY).toordinal()
LAST_ORDINAL = datetime.date.fromisoformat(LAST_DAY).toordinal()


def datetime_rfc3339(value):
    """Checks an RFC 3339 time with its zone; a leap second is refused."""
    when = moment_of(value) if is_text(value) else None
    if when is None:
        return TYPE
    if when[0] < FIRST_ORDINAL:
        return ("minimum",)
    return ("maximum",) if when[0] > LAST_ORDINAL else GOOD


def string(longest=None, form=None, rule="pattern"):
    """Makes a check of text: at most longest characters, and of a form.

    Text without a form is free: it may hold the controls that lay it out.
    """
    allowed = LAYOUT if form is None else frozenset()

    def check(value):
        if not is_text(value):
            return TYPE
        broken = []
        if longest is not None and length(value) > longest:
            broken.append("maxLength")
        if form is not None and not form(value):
            broken.append(rule)
        if forbidden(value, allowed):
            broken.append(CHARACTERS)
        return broken

    return check


def choice(words):
    """Makes a check of an enumeration."""
    words = frozenset(words)

    def check(value):
        if not is_text(value):
            return TYPE
        if value in words:
            return GOOD
        return ("enum", CHARACTERS) if forbidden(value) else ("enum",)

    return check


def is_name(value):
    """Returns whether a text is words of letters, parted by spaces of any kind.

    A word begins with a letter; marks follow their letter; a joiner has a letter or
    a mark on both sides, or another joiner.
    """
    if ASCII_NAME.fullmatch(value):
        return True
    spaced = "".join(" " if unicodedata.category(each) == "Zs" else each for each in value)
    words = [word for word in spaced.split(" ") if word]
    return bool(words) and all(map(is_word, words))


def is_word(word):
    """Returns whether a word is made of letters, their marks and joiners inside."""
    if unicodedata.category(word[0])[0] != "L" or word[-1] in JOINERS:
        return False
    return all(each in JOINERS or unicodedata.category(each)[0] in "LM" for each in word)


def is_email(value):
    """Returns whether a text has the form of an address, letters of any script in it."""
    value = unicodedata.normalize("NFC", value)
    local, at, domain = value.partition("@")
    if not at or not local or len(local) > LONGEST_LOCAL or len(value) > LONGEST_ADDRESS:
        return False
    labels = domain.split(".")
    return (
        is_part(local, LOCAL_SIGNS)
        and len(labels) > 1
        and all(
            0 < len(each) <= LONGEST_LABEL and "-" not in (each[0], each[-1]) and is_part(each, "-")
            for each in labels
        )
    )


def is_part(text, signs):
    """Returns whether a text is letters with their marks, ASCII digits and signs."""
    before = ""
    for each in text:
        kind = unicodedata.category(each)[0]
        digit = each.isascii() and each.isdecimal()
        if not (kind == "L" or digit or each in signs or (kind == "M" and before in ("L", "M"))):
            return False
        before = kind
    return True


def iban(value):
    """Checks the form of ISO 13616, then its check digits (ISO 7064 mod 97)."""
    if not is_text(value):
        return TYPE
    if IBAN.fullmatch(value) is None or value[2:4] in ("00", "01", "99"):
        return ("iban_valid", CHARACTERS) if forbidden(value, LAYOUT) else IBAN_VALID
    digits = "".join(str(int(letter, 36)) for letter in value[4:] + value[:4])
    return GOOD if int(digits) % 97 == 1 else IBAN_VALID


name = string(50, is_name)
email = string(form=is_email, rule="format")
nif = string(form=NIF.fullmatch)
phone = string(form=PHONE.fullmatch)
country = choice(COUNTRIES)
