"""Where the product differs from frictionless, on purpose.

Each difference has a name, which the cases use, and one row in
docs/agreement.md with the reason; a test holds the two lists together.
"""

# Of single values: what the product makes of a text that frictionless accepts,
# or the other way round.
DIGITS = "digits"
SPACES = "spaces"
UNDERSCORES = "underscores"
LIMITS = "limits"
NOT_FINITE = "not-finite"
SHORT_DATES = "short-dates"
TIMES = "times"
BLANK_TEXT = "blank-text"
LENGTHS = "lengths"
CHARACTERS = "characters"
DATES = "dates"
LAST_YEAR = "last-year"
EMAIL_LETTERS = "email-letters"
EMAIL_LENGTH = "email-length"
EMAIL_LOCAL = "email-local"
EMAIL_DOMAIN = "email-domain"

# Of records.
NO_KEY = "no-key"
RAGGED = "ragged"
RAGGED_KEY = "ragged-key"
BLANK = "blank"
EMPTY_RECORD = "empty-record"
QUOTES = "quotes"
UNREADABLE = "unreadable"
CARRIAGE_RETURN = "carriage-return"
CASCADE = "cascade"
PART_OF_KEY = "part-of-key"
BIG_KEY = "big-key"

# Of files.
HEADER_SPACES = "header-spaces"
FIRST_LINE_BLANK = "first-line-blank"
HEADER_ALONE = "header-alone"

ALL = frozenset(value for name, value in globals().items() if name.isupper() and isinstance(value, str))
