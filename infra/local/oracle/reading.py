"""Plain readers for CSV, JSON Lines and JSON arrays.

A reader yields (line, fault, values): the record's line number as the contracts
define it (the physical line where it starts, or the element's ordinal in a JSON
array), the code of what is malformed in it or None, and one value a column in
the contract's order. A value is None when missing, a str of its lexical text,
or one of the JSON kinds below, left to the rules to accept or refuse.

A malformed record takes with it what the following says, and nothing else:
a quote inside an unquoted field opens nothing; text after a closing quote
belongs to the field; a quoted field that is not closed within MAX_RECORD bytes
of its opening, or at the end, ends its record with the physical line on which it
opened, one reject, and reading resumes at the next line; a record over
MAX_RECORD bytes is one reject; once the tokens of a JSON array can't be told
apart, the rest of the array is one reject. Blank lines are skipped and not
counted.
"""

import json
import mmap
import os
import re

MAX_RECORD = 1 << 20  # bytes of one record, its line end not counted

# Where one record has several faults, the first of these is its code.
FAULTS = ("size", "quote", "nul", "encoding", "json", "fields", "truncated")

BOM = b"\xef\xbb\xbf"


class Number(str):
    """The lexical text of a JSON number."""


class Pairs(list):
    """The members of a JSON object in order, repeated ones included."""


class FileFault(Exception):
    """The file itself is faulty: empty, encoding, header or json."""

    def __init__(self, reason, details=""):
        super().__init__(reason + (": " + details if details else ""))
        self.reason = reason
        self.details = details


def open_bytes(path):
    """Maps the file into memory; an empty one cannot be mapped."""
    if os.path.getsize(path) == 0:
        raise FileFault("empty")
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def records(path, columns):
    """Yields the records of a file, whose format its name tells.

    Raises FileFault when nothing can be read: no bytes, UTF-16 or UTF-32, a
    header that differs from columns, or JSON that is no array.
    """
    data = open_bytes(path)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4] == b"\x00\x00\xfe\xff":
        raise FileFault("encoding", "UTF-16 or UTF-32")
    start = len(BOM) if data[:3] == BOM else 0
    if is_blank(data, start):
        raise FileFault("empty")
    extension = path.rsplit(".", 1)[-1]
    reader = {"csv": csv_records, "jsonl": jsonl_records, "json": array_records}[extension]
    return reader(data, start, columns)


def is_blank(data, start):
    """Tells whether nothing but line ends and spaces follows start."""
    return re.compile(rb"[^ \t\r\n]").search(data, start) is None


# --- CSV -------------------------------------------------------------------


def csv_records(data, start, columns):
    """Reads the header, checks it, and returns the records after it."""
    raw = csv_raw(data, start)
    _, fault, fields = next(raw)
    if fault:
        raise FileFault("encoding" if fault in ("encoding", "nul") else "header", fault)
    try:
        header = [field.decode("utf-8") for field in fields]
    except UnicodeDecodeError as error:
        raise FileFault("encoding", "header") from error
    missing = [name for name in columns if name not in header]
    extra = [name for name in header if name not in columns]
    if missing or extra or len(set(header)) != len(header):
        raise FileFault("header", "missing %s, extra %s" % (missing, extra))
    order = [header.index(name) for name in columns]
    return csv_values(raw, order)


def csv_values(raw, order):
    """Turns raw CSV records into values in the contract's order."""
    width = len(order)
    in_order = order == list(range(width))
    for line, fault, fields in raw:
        if fault is None and len(fields) != width:
            fault = "fields"
        if fault is None:
            try:
                values = [field.decode("utf-8") or None for field in fields]
            except UnicodeDecodeError:
                fault = "encoding"
        if fault is not None:
            yield line, fault, None
        elif in_order:
            yield line, None, values
        else:
            yield line, None, [values[index] for index in order]


def csv_raw(data, start):
    """Yields (line, fault, byte fields) of every record, the header included."""
    position, line, size = start, 1, len(data)
    while position < size:
        end = data.find(b"\n", position)
        if end < 0:
            end = size
        text = data[position:end]
        if b'"' in text:
            fault, fields, after = quoted_record(data, position)
        else:
            after = end + 1
            if end < size and text.endswith(b"\r"):
                text = text[:-1]
            if not text:
                position, line = after, line + 1
                continue
            fault, fields = None, text.split(b",")
            if len(text) > MAX_RECORD:
                fault = "size"
        if fault is None and b"\0" in data[position:after]:
            fault = "nul"
        if fault is None and not is_utf8(data[position:after]):
            fault = "encoding"
        yield line, fault, fields
        line += 1 if after == end + 1 else data[position:after].count(b"\n")
        position = after


def is_utf8(raw):
    """Tells whether the bytes are UTF-8 without surrogates or long forms."""
    if raw.isascii():
        return True
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


UNQUOTED_END = re.compile(rb"[,\n]")


def quoted_record(data, start):
    """Reads one record that has a quote in its first physical line.

    Returns (fault, fields, where the next record starts).
    """
    size = len(data)
    fields, position, fault = [], start, None
    while True:
        text = b""
        if data[position : position + 1] == b'"':
            opening = position
            text, position = quoted_field(data, opening)
            if text is None:
                end = data.find(b"\n", opening)
                end = size if end < 0 else end
                return "size" if end - start > MAX_RECORD else "quote", None, end + 1
            if not at_separator(data, position):
                fault = "quote"
        match = UNQUOTED_END.search(data, position)
        stop = match.start() if match else size
        rest = data[position:stop]
        last = stop == size or data[stop] == 0x0A
        if last and stop < size and rest.endswith(b"\r"):
            rest = rest[:-1]
        if b'"' in rest:
            fault = "quote"
        fields.append(text + rest)
        if last:
            if position + len(rest) - start > MAX_RECORD:
                fault = "size"
            return fault, fields, stop + 1
        position = stop + 1


def quoted_field(data, opening):
    """Reads a quoted field from its opening quote.

    Returns its text and where its closing quote ends, or (None, 0) when no
    quote closes it within MAX_RECORD bytes.
    """
    parts, position, limit = [], opening + 1, opening + 1 + MAX_RECORD
    while True:
        quote = data.find(b'"', position, limit)
        if quote < 0:
            return None, 0
        parts.append(data[position:quote])
        if data[quote + 1 : quote + 2] != b'"':
            return b'"'.join(parts), quote + 1
        position = quote + 2


def at_separator(data, position):
    """Tells whether a comma, a line end or the end of the file is here."""
    following = data[position : position + 2]
    return following[:1] in (b"", b",", b"\n") or following == b"\r\n"


# --- JSON ------------------------------------------------------------------


def refuse_constant(name):
    """NaN and the infinities are no JSON, though Python reads them."""
    raise ValueError(name)


decode = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=refuse_constant
).decode


# Half of a pair, which no UTF-8 can hold.
SURROGATE = re.compile("[\ud800-\udfff]")


def json_values(raw, columns):
    """Returns (fault, values) of one JSON text, which must be an object."""
    if len(raw) > MAX_RECORD:
        return "size", None
    if b"\0" in raw:
        return "nul", None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "encoding", None
    try:
        members = decode(text)
    except (ValueError, RecursionError):
        return "json", None
    if not isinstance(members, Pairs):
        return "json", None
    return member_values(members, columns)


def member_values(members, columns):
    """Puts an object's members in the contract's order."""
    found = dict(members)
    if len(found) != len(members) or any(name not in columns for name in found):
        return "fields", None
    values = [found.get(name) for name in columns]
    for index, value in enumerate(values):
        if isinstance(value, str):
            if "\0" in value:
                return "nul", None
            if SURROGATE.search(value):
                return "encoding", None
            if value == "":
                values[index] = None
    return None, values


def jsonl_records(data, start, columns):
    """Yields the records of JSON Lines, one a physical line."""
    columns = list(columns)
    position, line, size = start, 0, len(data)
    while position < size:
        end = data.find(b"\n", position)
        if end < 0:
            end = size
        raw, position, line = data[position:end], end + 1, line + 1
        if raw.endswith(b"\r") and end < size:
            raw = raw[:-1]
        raw = raw.lstrip(SPACE)
        if raw:
            fault, values = json_values(raw, columns)
            yield line, fault, values


TOKEN = re.compile(
    rb'"[^"\\]*(?:\\.[^"\\]*)*"'  # a string
    rb"|[\[\]{},:]"
    rb'|[^ \t\r\n"\[\]{},:]+'  # a word: a number, true, false, null, or what is none
    rb'|"',  # a string that nothing ends
    re.DOTALL,
)
SPACE = b" \t\r\n"
CLOSES = {b"[": b"]", b"{": b"}"}


def array_records(data, start, columns):
    """Yields the elements of a JSON array, numbered from 1."""
    opening = re.compile(rb"[ \t\r\n]*\[").match(data, start)
    if opening is None:
        raise FileFault("json", "no array")
    return array_elements(data, opening.end(), list(columns))


def array_elements(data, start, columns):
    """Yields the elements that follow the opening bracket.

    An element ends at the comma or bracket of the array itself, whatever it
    says. That holds while tokens can be told apart: once a string stands beside
    a word or another string, or a bracket closes what is not open, the rest of
    the file is one reject from the start of that element on.
    """
    ordinal, element, nesting, last = 0, start, [], b""
    for token in TOKEN.finditer(data, start):
        mark = data[token.start() : token.start() + 1]
        if mark in b",]" and not nesting:
            raw = data[element : token.start()].lstrip(SPACE)
            if raw or mark == b"," or ordinal:
                ordinal += 1
                yield (ordinal, *json_values(raw, columns))
            element, last = token.end(), b""
            if mark == b"]":
                break
        elif not trusted(mark, token, last, nesting):
            yield ordinal + 1, "truncated", None
            return
        else:
            last = mark
    else:  # the array has no end; its last element may be whole
        if not nesting and last in (b"]", b"}"):
            ordinal += 1
            yield (ordinal, *json_values(data[element:].lstrip(SPACE), columns))
        yield ordinal + 1, "truncated", None
        return
    if data[element:].strip(SPACE):
        yield ordinal + 1, "truncated", None


def trusted(mark, token, last, nesting):
    """Takes one token; tells whether those after it can still be told apart."""
    if mark == b'"':
        return token.end() > token.start() + 1 and (last == b"" or last in b",:[{]}")
    if mark in CLOSES:
        nesting.append(CLOSES[mark])
    elif mark in b"]}":
        return bool(nesting) and nesting.pop() == mark
    elif mark not in b",:":
        return last != b'"'
    return True
