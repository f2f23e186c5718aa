"""Plain readers for CSV, JSON Lines and JSON arrays.

A reader yields (line, fault, values): the record's line number as the contracts
define it (the physical line where it starts, or the element's ordinal in a JSON
array), the code of what is malformed in it or None, and one value a column in
the contract's order. A value is None when missing, a str of its lexical text,
or one of the JSON kinds below, left to the rules to accept or refuse.

A malformed record takes with it what the following says, and nothing else:
a CSV record with a quote out of place ends with the physical line on which the
field in question begins, and reading resumes at the next line. A quote is out of
place inside an unquoted field, before more text of a quoted one, where the field
holds a line end and its column can't, and where no other closes it within
MAX_RECORD bytes or before the end. All other records end where they end, however
many fields they have; one over MAX_RECORD bytes is one reject. Blank lines are
skipped and not counted.

A file raises FileFault when it can't be trusted as a whole, which may show only
at its end: a JSON array that is not closed, or followed by something, or whose
tokens can't be told apart; JSON whose objects all have a member that the
contract lacks, or none of which has a required one; CSV or JSON Lines whose
records are all malformed, and each is several lines with a CR alone between them.
"""

import json
import mmap
import os
import re

MAX_RECORD = 1 << 20  # bytes of one record, its line end not counted

# Where one record has several faults, the first of these is its code.
FAULTS = ("size", "quote", "nul", "encoding", "json", "fields")

BOM = b"\xef\xbb\xbf"


class Number(str):
    """The lexical text of a JSON number."""


class Pairs(list):
    """The members of a JSON object in order, repeated ones included."""


class FileFault(Exception):
    """The whole file is faulty: empty, compressed, encoding, header, json, members, line ends."""

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


# How compressed files start: gzip, zip, bzip2, xz, zstd.
COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")


def records(path, columns, lines=None, required=()):
    """Yields the records of a file; its name determines the format.

    lines are the columns whose values may hold a line end (None: all), required
    those without which no record is valid. Raises FileFault when the file is
    faulty as a whole.
    """
    data = open_bytes(path)
    if data[:10].startswith(COMPRESSED) and not (data[:3] == b"BZh" and data[4:7] not in (b"1AY", b"\x17rE")):
        raise FileFault("compressed")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4] == b"\x00\x00\xfe\xff":
        raise FileFault("encoding", "UTF-16 or UTF-32")
    start = len(BOM) if data[:3] == BOM else 0
    if is_blank(data, start):
        raise FileFault("empty")
    extension = path.rsplit(".", 1)[-1]
    if extension == "csv":
        return csv_records(data, start, columns, lines)
    reader = {"jsonl": jsonl_records, "json": array_records}[extension]
    return without_drift(reader(data, start), columns, required)


def is_blank(data, start):
    """Returns whether nothing but line ends and spaces follows start."""
    return re.compile(rb"[^ \t\r\n]").search(data, start) is None


# --- CSV -------------------------------------------------------------------


def csv_records(data, start, columns, lines):
    """Reads the header, checks it, and returns the records after it."""
    _, fault, fields, after, line = next(csv_raw(data, start, 1, []))
    if fault:
        raise FileFault("encoding" if fault in ("encoding", "nul") else "header", fault)
    if any(b"\r" in field or b"\n" in field for field in fields):
        raise FileFault("header", "line ends")
    header = [field.decode("utf-8") for field in fields]
    missing = [name for name in columns if name not in header]
    extra = [name for name in header if name not in columns]
    if missing or extra or len(set(header)) != len(header):
        raise FileFault("header", "missing %s, %d extra" % (missing, len(extra)))
    order = [header.index(name) for name in columns]
    may = [lines is None or name in lines for name in header]
    return csv_values(data, after, csv_raw(data, after, line, may), order)


def csv_values(data, start, raw, order):
    """Turns raw CSV records, the first of which starts at start, into values in the contract's order."""
    width = len(order)
    in_order = order == list(range(width))
    joined = None  # whether all records so far are joined lines
    for line, fault, fields, after, _ in raw:
        if fault is None and len(fields) != width:
            fault = "fields"
        if fault is None:
            try:
                values = [field.decode("utf-8") or None for field in fields]
            except UnicodeDecodeError:
                fault = "encoding"
        if joined is not False:
            joined = fault is not None and joins_rows(data[start:after][:MAX_RECORD], width)
        start = after
        if fault is not None:
            yield line, fault, None
        elif in_order:
            yield line, None, values
        else:
            yield line, None, [values[index] for index in order]
    if joined:
        raise FileFault("line ends", "CR alone")


def joins_rows(raw, width):
    """Tells whether a record is lines between CRs, most of which have all fields."""
    lines = [line for line in raw.strip(b"\r\n").split(b"\r") if line]
    whole = sum(re.sub(rb'"[^"]*("|$)', b"", line).count(b",") == width - 1 for line in lines)
    return len(lines) > 1 and 2 * whole > len(lines)


def csv_raw(data, position, line, may):
    """Yields (line, fault, byte fields, end, next line) of every record.

    may says of each field of the file whether it may hold a line end; fields
    beyond may.
    """
    size = len(data)
    while position < size:
        end = data.find(b"\n", position)
        if end < 0:
            end = size
        text = data[position:end]
        if b'"' in text:
            fault, fields, after = quoted_record(data, position, may)
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
        following = line + (1 if after == end + 1 else data[position:after].count(b"\n"))
        yield line, fault, fields, after, following
        line, position = following, after


def is_utf8(raw):
    """Returns whether the bytes are UTF-8 without surrogates or long forms."""
    if raw.isascii():
        return True
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


UNQUOTED_END = re.compile(rb"[,\n]")


def quoted_record(data, start, may):
    """Reads one record that has a quote in its first physical line.

    Returns (fault, fields, where the next record starts).
    """
    size, fields, position = len(data), [], start
    while True:
        beginning = position
        may_hold = len(fields) >= len(may) or may[len(fields)]
        text, position = field_at(data, beginning, may_hold)
        if text is None:
            fields, position = None, physical_end(data, beginning)
            break
        fields.append(text)
        if position == size or data[position] != 0x2C:
            break
        position += 1
    fault = "quote" if fields is None else None
    if position - start > MAX_RECORD:
        fault = "size"
    after = position + (2 if data[position : position + 1] == b"\r" else 1)
    return fault, fields, after


def field_at(data, beginning, may_hold):
    """Returns a field's text and the place of the comma or line end behind it.

    (None, 0) if a quote in it is out of place.
    """
    if data[beginning : beginning + 1] == b'"':
        text, position = quoted_field(data, beginning)
        if text is None or not at_separator(data, position) or (b"\n" in text and not may_hold):
            return None, 0
        return text, position
    match = UNQUOTED_END.search(data, beginning)
    stop = match.start() if match else len(data)
    if match and data[stop] == 0x0A and data[stop - 1 : stop] == b"\r" and stop > beginning:
        stop -= 1
    text = data[beginning:stop]
    return (None, 0) if b'"' in text else (text, stop)


def physical_end(data, position):
    """Returns where the line of a place ends, its line end not included."""
    end = data.find(b"\n", position)
    if end < 0:
        return len(data)
    return end - 1 if data[end - 1 : end] == b"\r" else end


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
    """Returns whether a comma, a line end or the end of the file is here."""
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


def json_object(raw):
    """Returns (fault, members) of one JSON text, which must be an object."""
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
    return (None, members) if isinstance(members, Pairs) else ("json", None)


def without_drift(objects, columns, required):
    """Turns (line, fault, members) into records; the members must not have drifted."""
    common, lacking, columns = None, set(required), list(columns)
    for line, fault, members in objects:
        if fault is not None:
            yield line, fault, None
            continue
        names = {name for name, _ in members}
        foreign = names.difference(columns)
        common = foreign if common is None else common & foreign
        lacking -= names
        yield (line, *member_values(members, columns))
    if common is not None and (common or lacking):
        raise FileFault("members", "missing %s, %d extra" % (sorted(lacking), len(common)))


def member_values(members, columns):
    """Puts an object's members in the contract's order: (fault, values)."""
    for name, value in members:
        for text in (name, value) if isinstance(value, str) else (name,):
            if "\0" in text:
                return "nul", None
    for name, value in members:
        for text in (name, value) if isinstance(value, str) else (name,):
            if SURROGATE.search(text):
                return "encoding", None
    found = dict(members)
    if len(found) != len(members) or any(name not in columns for name in found):
        return "fields", None
    return None, [None if found.get(name) == "" else found.get(name) for name in columns]


def jsonl_records(data, start):
    """Yields the objects of JSON Lines, one a physical line."""
    position, line, size, count, folded, joined = start, 0, len(data), 0, False, True
    while position < size:
        end = data.find(b"\n", position)
        if end < 0:
            end = size
        raw, position, line = data[position:end], end + 1, line + 1
        if raw.endswith(b"\r") and end < size:
            raw = raw[:-1]
        raw = raw.lstrip(SPACE)
        if not raw:
            continue
        count += 1
        fault, members = json_object(raw)
        if count == 1 and raw[:1] == b"[":
            raise FileFault("json", "an array in place of lines")
        if count == 2 and folded and raw[:1] != b"{":
            raise FileFault("json", "an object stands on several lines")
        folded = count == 1 and fault == "json" and raw[:1] == b"{" and goes_on(raw)
        joined = joined and fault is not None and bool(JOINED_OBJECTS.search(raw[:MAX_RECORD]))
        yield line, fault, members
    if joined and count:
        raise FileFault("line ends", "CR alone")


# An object ends, and another begins behind a CR alone.
JOINED_OBJECTS = re.compile(rb"\}[ \t]*\r[ \t\r]*\{")


def goes_on(raw):
    """Returns whether brackets are open at the end of a line, and no string."""
    nesting, last = [], b""
    for token in TOKEN.finditer(raw):
        mark = token.group()[:1]
        if not trusted(mark, token, last, nesting) or not nesting:
            return False
        last = mark
    return bool(nesting)


TOKEN = re.compile(
    rb'"[^"\\]*(?:\\.[^"\\]*)*"'  # a string
    rb"|[\[\]{},:]"
    rb'|[^ \t\r\n"\[\]{},:]+'  # a word: a number, true, false, null, or what is none
    rb'|"',  # a string that nothing ends
    re.DOTALL,
)
SPACE = b" \t\r\n"
CLOSES = {b"[": b"]", b"{": b"}"}


def array_records(data, start):
    """Yields the elements of a JSON array, numbered from 1."""
    opening = re.compile(rb"[ \t\r\n]*\[").match(data, start)
    if opening is None:
        raise FileFault("json", "no array")
    return array_elements(data, opening.end())


def array_elements(data, start):
    """Yields the elements that follow the opening bracket.

    An element ends at the comma or bracket of the array itself, whatever it
    says. That holds while tokens can be told apart: once a string stands beside
    a word or another string, or a bracket closes what is not open, the file is
    faulty, as it is without the closing bracket or with something behind it.
    """
    ordinal, element, nesting, last = 0, start, [], b""
    for token in TOKEN.finditer(data, start):
        mark = data[token.start() : token.start() + 1]
        if mark in b",]" and not nesting:
            raw = data[element : token.start()].lstrip(SPACE)
            if raw or mark == b"," or ordinal:
                ordinal += 1
                yield (ordinal, *json_object(raw))
            element, last = token.end(), b""
            if mark == b"]":
                break
        elif not trusted(mark, token, last, nesting):
            raise FileFault("json", "element %d, byte %d" % (ordinal + 1, token.start()))
        else:
            last = mark
    else:
        raise FileFault("json", "the array ends in element %d" % (ordinal + 1))
    if data[element:].strip(SPACE):
        raise FileFault("json", "text behind the array")


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
