"""Decides which records of the ten files must be rejected, and why.

    python3 oracle.py DIR [--prior DIR ...] [--values FILE]

It reads the folder with its own plain readers and applies all the rules of the
contracts, written a second time, so that the product's answer can be compared
with one that shares no code with it. Folders given with --prior are imports
published before, oldest first: the valid records that they inserted or updated
count as parents. It prints JSON: for each file the records read, valid and
rejected, and every rejected line with the (field, rule) pairs it breaks.

With --values it also writes the valid records as JSON Lines, in the clear:
resource, file, line, the canonical key, the lexical text of every field under
its source name (values) and what the target holds under its target name
(target: integers and numbers as text, without signs and zeros that mean
nothing).

Exit status: 0 when the ten files could be read, whatever their rejects; 1 when
a file itself is faulty or missing, which its "fault" names; 2 on wrong usage.
"""

import argparse
import json
import os
import re
import sys

import contract
import reading
from lexical import canonical_integer

FILE_NAME = re.compile(r"([a-z_]+)_([0-9]{8})\.(csv|jsonl|json)")


class Published:
    """The keys that earlier imports put into tables that are upserted.

    Sales carry their quantity, and returns their sale and quantity: all returns of
    a sale together are compared with what it sold.
    """

    def __init__(self):
        self.keys = {each.name: {} for each in contract.IN_ORDER if each.upsert}

    def add(self, checked):
        """Publishes the valid records of an import."""
        for name, keys in self.keys.items():
            keys.update(checked.valid[name])


class Import:
    """One folder being judged."""

    def __init__(self, folder, published, on_valid=None):
        self.folder = folder
        self.published = published
        self.on_valid = on_valid
        self.valid = {each.name: {} for each in contract.IN_ORDER}
        self.results = {}
        self.file_date = ""

    def check(self):
        """Judges the ten files, parents first, and returns the results."""
        files = find_files(self.folder)
        for resource in contract.IN_ORDER:
            if resource.name not in files:
                self.results[resource.name] = {"fault": "missing"}
                continue
            file, date = files[resource.name]
            self.file_date = "%s-%s-%s" % (date[:4], date[4:6], date[6:])
            try:
                self.results[resource.name] = self.check_file(resource, file)
            except reading.FileFault as fault:
                self.results[resource.name] = {
                    "file": file,
                    "fault": fault.reason,
                    "details": fault.details,
                }
        return self.results

    def check_file(self, resource, file):
        """Judges one file, whose parents are judged already."""
        judge = Judge(resource, self)
        read, rejects = 0, []
        held = [] if own_relation(resource) else None
        path = os.path.join(self.folder, file)
        for line, fault, values in contract.records(path, resource):
            read += 1
            if fault is not None:
                rejects.append((line, {("", fault)}))
                continue
            values = contract.present(resource, values)
            key, errors = judge.record(values)
            if held is not None:
                held.append((line, key, values, errors))
            elif errors:
                rejects.append((line, errors))
            else:
                self.accept(resource, file, line, key, values)
        if held is not None:
            rejects += self.settle(resource, file, held, judge.standing)
        if read == 0 and not resource.empty_allowed:
            raise reading.FileFault("empty", "no record")
        rejects.sort(key=lambda reject: reject[0])
        return {
            "file": file,
            "read": read,
            "valid": read - len(rejects),
            "rejected": len(rejects),
            "rejects": [
                {"line": line, "errors": sorted(map(list, errors))} for line, errors in rejects
            ],
        }

    def accept(self, resource, file, line, key, values):
        """Keeps what children need of a valid record, and shows the record."""
        kept = None
        if resource is contract.VENTES:
            kept = canonical_integer(values[resource.places["quantity"]])
        if resource is contract.RETOURS:
            kept = tuple(
                canonical_integer(values[resource.places[each]]) for each in ("sale_id", "quantity")
            )
        self.valid[resource.name][key] = kept
        if self.on_valid:
            self.on_valid(resource, file, line, key, values)

    def settle(self, resource, file, held, standing):
        """Judges relations within one file.

        What names no valid record falls, and what names something fallen falls
        with it. Of the valid records that are left, those that lead back to
        themselves are rejected for the cycle, and what names one of them falls.
        """
        relation = own_relation(resource)
        parents = [contract.canonical(resource, values, relation.field) for _, _, values, _ in held]
        naming = {}  # key: the records that name it as their parent
        for index, parent in enumerate(parents):
            if parent is not None:
                naming.setdefault(parent, []).append(index)

        def alive(key):
            return key in standing and not held[standing[key]][3]

        def fall(falling):
            while falling:
                index = falling.pop()
                _, key, _, errors = held[index]
                if not errors:  # it was a parent until now
                    falling += naming.get(key, ())
                errors.add((relation.field, "foreignKey"))

        fall([index for key in naming if not alive(key) for index in naming[key]])
        cyclic = cycle_members({key: parents[standing[key]] for key in standing if alive(key)})
        members = {standing[key] for key in cyclic}
        for index in members:
            held[index][3].add((relation.field, "cycle"))
        fall([index for key in cyclic for index in naming[key] if index not in members])
        rejects = []
        for line, key, values, errors in held:
            if errors:
                rejects.append((line, errors))
            else:
                self.accept(resource, file, line, key, values)
        return rejects

    def parent(self, name, key):
        """Returns whether a key is valid here or published, and what it keeps."""
        if key in self.valid[name]:
            return True, self.valid[name][key]
        published = self.published.keys.get(name, {})
        return key in published, published.get(key)


class Judge:
    """Judges the records of one file one after the other."""

    def __init__(self, resource, checked):
        self.resource = resource
        self.checked = checked
        self.standing = {}  # canonical key: ordinal of the record that stands
        self.seen = {column: set() for column in resource.unique}
        self.count = 0
        self.returned = None  # by sale, the quantity of each return that stands

    def record(self, values):
        """Returns the record's canonical key and the rules that it breaks."""
        errors = contract.row_errors(self.resource, values, self.checked.file_date)
        key = self.duplicates(values, errors)
        for relation in self.resource.relations:
            if relation.parent != self.resource.name:
                self.relation(relation, values, errors)
        if self.resource is contract.RETOURS and not errors:
            self.returns_together(key, values, errors)
        self.count += 1
        return key, errors

    def returns_together(self, key, values, errors):
        """Rejects a return that, with the others of its sale, is more than was sold.

        The others are those published before, and the valid ones of earlier lines,
        which replace what was published under the same key for the same sale.
        """
        if self.returned is None:
            self.returned = {}
            for each, (sale, quantity) in self.checked.published.keys["retours"].items():
                self.returned.setdefault(sale, {})[each] = quantity
        sale, quantity = (
            contract.canonical(self.resource, values, each) for each in ("sale_id", "quantity")
        )
        standing = self.returned.setdefault(sale, {})
        others = sum(standing.values()) - standing.get(key, 0)
        _, sold = self.checked.parent("ventes", sale)
        if others + quantity > sold:
            errors.add(("quantity", "quantity_at_most_sold"))
        else:
            standing[key] = quantity

    def duplicates(self, values, errors):
        """Adds the errors of keys seen before, and remembers the new ones."""
        parts = [contract.canonical(self.resource, values, part) for part in self.resource.key]
        key = None
        if None not in parts:
            key = parts[0] if len(parts) == 1 else tuple(parts)
            if key in self.standing:
                errors.add((",".join(self.resource.key), "primaryKey"))
            else:
                self.standing[key] = self.count
        for column, seen in self.seen.items():
            value = contract.canonical(self.resource, values, column)
            if value is None:
                continue
            if value in seen:
                errors.add((column, "unique"))
            seen.add(value)
        return key

    def relation(self, relation, values, errors):
        """Adds the error of a parent that is not there."""
        key = contract.canonical(self.resource, values, relation.field)
        if key is None:
            return
        there, kept = self.checked.parent(relation.parent, key)
        if not there:
            errors.add((relation.field, "foreignKey"))
        elif self.resource is contract.RETOURS:
            quantity = contract.canonical(self.resource, values, "quantity")
            if quantity is not None and more_than(quantity, kept):
                errors.add(("quantity", "quantity_at_most_sold"))


def more_than(quantity, sold):
    """Compares canonical integers, of which the very long ones are text."""
    return int(str(quantity)[:40]) > int(sold)


def own_relation(resource):
    """Returns the relation of a resource to itself, or None."""
    for relation in resource.relations:
        if relation.parent == resource.name:
            return relation
    return None


def cycle_members(parent_of):
    """Returns the keys from which following the parents leads back to them."""
    cyclic, done = set(), set()
    for start in parent_of:
        path, key = {}, start
        while key in parent_of and key not in done and key not in path:
            path[key] = len(path)
            key = parent_of[key]
        if key in path:
            cyclic.update(each for each, place in path.items() if place >= path[key])
        done.update(path)
    return cyclic


def find_files(folder):
    """Returns {resource: (file, date)} of the folder's well named files."""
    files = {}
    for file in sorted(os.listdir(folder)):
        match = FILE_NAME.fullmatch(file)
        resource = contract.PREFIXES.get(match.group(1)) if match else None
        if resource is None:
            continue
        if resource.name in files:
            raise SystemExit("oracle: two files for %s in %s" % (resource.name, folder))
        files[resource.name] = (file, match.group(2))
    dates = {date for _, date in files.values()}
    if len(dates) > 1:
        raise SystemExit("oracle: files of several dates in %s" % folder)
    return files


def value_line(resource, file, line, key, values):
    """Returns one line of --values."""
    return json.dumps(
        {
            "resource": resource.name,
            "file": file,
            "line": line,
            "key": [str(part) for part in (key if isinstance(key, tuple) else (key,))],
            "values": {
                each.name: lexical_text(value) for each, value in zip(resource.fields, values)
            },
            "target": {
                each.target or each.name: contract.typed(each, value)
                for each, value in zip(resource.fields, values)
            },
        },
        ensure_ascii=False,
    )


def lexical_text(value):
    """Returns the text as the file has it; JSON's true and false as words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def judge(folder, prior=(), on_valid=None):
    """Judges a folder after the earlier ones and returns its results."""
    published = Published()
    for each in prior:
        earlier = Import(each, published)
        faults = [name for name, result in earlier.check().items() if "fault" in result]
        if faults:
            raise SystemExit("oracle: %s cannot have been imported: %s" % (each, faults))
        published.add(earlier)
    return Import(folder, published, on_valid).check()


def main(arguments):
    """Runs the command and returns its exit status."""
    parser = argparse.ArgumentParser(description="Says which records are to be rejected.")
    parser.add_argument("folder")
    parser.add_argument("--prior", nargs="*", action="extend", default=[])
    parser.add_argument("--values", metavar="FILE")
    options = parser.parse_args(arguments)
    if options.values:
        with open(options.values, "w", encoding="utf-8") as out:
            results = judge(
                options.folder, options.prior, lambda *valid: print(value_line(*valid), file=out)
            )
    else:
        results = judge(options.folder, options.prior)
    json.dump({"files": results}, sys.stdout, ensure_ascii=False, indent=1)
    print()
    return 1 if any("fault" in result for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
