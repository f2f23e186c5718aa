"""Proves that no line of a file was lost, knowing nothing of its format.

    python3 linecount.py FILE [REPORTED] [--continued N] [--no-header]

FILE is a CSV or JSON Lines file. REPORTED (a path, or - for standard input, the
default) holds the line numbers of all records that a reader found in it, valid
or rejected: a JSON array of numbers or of objects with "line" or "line_number",
or text with one number a line, of which a CSV file's column line_number (or
line, or the first) is taken.

Every physical line must be the header, start exactly one record, continue the
record before, or be blank between records, so that

    lines = header + records + continued + blank

A line continues a record only if a quotation mark is open in it: if the lines
of the record so far hold an odd number of them. In JSON Lines none does. That is
all this program knows. It does not know which lines a slip of a quotation mark
should cost, so who made the file says with --continued how many lines continue a
record; the sample generator writes these numbers into lines.json.

It prints the count as JSON. Exit status: 0 when each line is accounted for, 1
when one is not, which it names, 2 on wrong usage or if a file cannot be read.
"""

import argparse
import csv
import io
import json
import sys

BOM = b"\xef\xbb\xbf"
BLANK = b" \t\r\n"


class Lost(Exception):
    """A line is not accounted for."""


def count(path, reported, header=True, continued=None):
    """Returns the count of a file's lines as a dict, or raises Lost.

    reported are the line numbers of all its records; header says whether its
    first line that is not blank is one, continued how many lines continue a
    record, if that is known.
    """
    starts = sorted(reported)
    for line, following in zip(starts, starts[1:]):
        if line == following:
            raise Lost("line %d starts two records" % line)
    found = {"lines": 0, "header": 0, "records": 0, "continued": 0, "blank": 0}
    position, inside, lines_of_json = 0, False, path.endswith(".jsonl")
    header = header and not lines_of_json
    with open(path, "rb") as file:
        for number, text in enumerate(file, 1):
            if number == 1:
                text = text.removeprefix(BOM)
            starts_here = position < len(starts) and starts[position] == number
            kind = kind_of(text, starts_here, inside, header and not found["header"], number)
            position += starts_here
            found["lines"] += 1
            found[kind] += 1
            if kind == "records":
                inside = False
            if kind in ("records", "continued") and not lines_of_json:
                inside ^= text.count(b'"') % 2 == 1
    if position < len(starts):
        raise Lost("line %d is reported, but the file has %d lines" % (starts[position], found["lines"]))
    if continued is not None and continued != found["continued"]:
        raise Lost("%d lines continue a record, where %d should" % (found["continued"], continued))
    return found


def kind_of(text, starts_here, inside, header, number):
    """Says what one line is."""
    blank = not text.strip(BLANK)
    if starts_here:
        if text.strip(b"\r\n") == b"" or header:
            raise Lost("line %d starts a record, but is %s" % (number, "the header" if header else "blank"))
        return "records"
    if inside:
        return "continued"
    if blank:
        return "blank"
    if header:
        return "header"
    raise Lost("line %d belongs to no record" % number)


def read_reported(text):
    """Returns the line numbers in a text: JSON, CSV, or one number a line.

    Raises ValueError if it holds none of these.
    """
    if text.lstrip()[:1] == "[":
        return [number_of(entry) for entry in json.loads(text)]
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    column = 0
    if rows and not rows[0][0].strip().isdigit():
        names = [name.strip() for name in rows.pop(0)]
        column = next((names.index(name) for name in ("line_number", "line") if name in names), 0)
    if any(len(row) <= column for row in rows):
        raise ValueError("a row without its line number")
    return [int(row[column]) for row in rows]


def number_of(entry):
    """Returns the line number that an entry of a JSON array is or holds."""
    if isinstance(entry, dict):
        entry = entry.get("line", entry.get("line_number"))
    if not isinstance(entry, int):
        raise ValueError("an entry without a line number")
    return entry


def main(arguments):
    parser = argparse.ArgumentParser(description="Proves that no line of a file was lost.")
    parser.add_argument("file")
    parser.add_argument("reported", nargs="?", default="-")
    parser.add_argument("--continued", type=int, help="how many lines continue a record")
    parser.add_argument("--no-header", action="store_true")
    options = parser.parse_args(arguments)
    if options.file.endswith(".json"):
        parser.error("the numbers of a JSON array are not lines")
    try:
        text = sys.stdin.read() if options.reported == "-" else open(options.reported, encoding="utf-8").read()
        reported = read_reported(text)
    except (OSError, ValueError) as error:
        parser.error("the line numbers cannot be read: %s" % error)
    try:
        print(json.dumps(count(options.file, reported, not options.no_header, options.continued)))
    except OSError as error:
        parser.error("the file cannot be read: %s" % error)
    except Lost as lost:
        print("%s: %s" % (options.file, lost), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
