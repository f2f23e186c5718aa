"""Holds what the roles of a stack, and its policies for people, may do against what was done while the tests ran.

    python infra/proof/permissions/check.py STACK RECORD [--update]

RECORD is what the emulator wrote (infra/local/emulator/permissions.py). The check fails on

- a request of a role, or of a service of AWS, that was denied; what people are denied is what tests try;
- a grant that no request used, unless reasons.json gives a reason, because no test uses it or not
  every time;
- a statement without which every request would still be allowed (the mutation proof), unless all
  of its grants have a reason;
- a reason for something that is not granted;
- a request of forbidden.json that a role may make and should not, or may not make and should;
- another text in docs/permissions.md than the one that these findings make; --update writes it.

The environment gives the endpoint and the credentials (`. .local/env`).
"""

import argparse
import fnmatch
import json
import pathlib
import sys

import boto3

import grants

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[2] / "docs" / "permissions.md"


class Reasons:
    """The written reasons for grants that no test uses."""

    def __init__(self, path):
        self._entries = json.loads(path.read_text())
        self._used = set()

    def of(self, role, action, resource, condition):
        """The reason for a grant, None if there is none."""
        for index, entry in enumerate(self._entries):
            if entry.get("condition", "") in condition and all(
                    any(fnmatch.fnmatchcase(value, pattern) for pattern in entry[field])
                    for field, value in (("roles", role), ("actions", action), ("resources", resource))):
                self._used.add(index)
                return entry
        return None

    def idle(self):
        """The reasons that no grant needed."""
        return [entry for index, entry in enumerate(self._entries) if index not in self._used]


class Findings:
    """What a run shows: for each statement its grants, what used them, and what its removal would deny."""

    def __init__(self, stack, requests, reasons):
        self.stack, self.reasons = stack, reasons
        self.denied = [r for r in requests if not r.allowed and (r.principal in stack.roles or is_service(r.principal))]
        allowed = [r for r in requests if r.allowed]
        self.by_role = {logical: [] for logical in (*stack.roles.values(), *(s.role for s in stack.statements))}
        for request in allowed:
            logical = stack.roles.get(request.principal) or stack.people.get(request.principal)
            if logical:
                self.by_role[logical].append(request)
        self.rows, self.lost, self.trouble, self.needed = [], [], [], 0
        for denied in self.denied:
            self.trouble.append(f"denied: {stack.roles.get(denied.principal, denied.principal)}: {denied.action} on {stack.short(denied.resource)}")
        for statement in stack.statements:
            self.weigh(statement)
        self.trouble += [f"a reason for something that is not granted: {entry}" for entry in reasons.idle()]
        self.forbidden = json.loads((HERE / "forbidden.json").read_text())
        for rule in self.forbidden:
            self.forbid(rule)

    def weigh(self, statement):
        """Adds the rows of one statement."""
        asked = [r for r in self.by_role[statement.role] if statement.allows(r)]
        others = [s for s in self.stack.statements if s.role == statement.role and s is not statement]
        denied = [r for r in asked if not any(other.allows(r) for other in others)]
        lost, unexplained = [], False
        for grant in statement.grants():
            resource = self.stack.short(grant.resource)
            used = any(grant.covers(r) for r in asked)
            condition = self.stack.short(json.dumps(grant.conditions, sort_keys=True)) if grant.conditions else ""
            reason = self.reasons.of(statement.role, grant.action, resource, condition)
            if not used and reason is None:
                self.trouble.append(f"never used, and no reason: {statement.role}: {grant.action} on {resource} {condition}".rstrip())
            unexplained |= reason is None
            if reason is None and any(grant.covers(r) for r in denied):
                lost.append(f"`{grant.action}` on `{resource}`")
            self.rows.append((statement, grant.action, resource, condition, used, reason))
        self.needed += bool(denied)
        if lost:
            self.lost.append((statement, list(dict.fromkeys(lost))))
        if unexplained and not denied:
            self.trouble.append(f"nothing would be denied without it: {statement.role}: "
                                f"{', '.join(statement.actions)} on {', '.join(map(self.stack.short, statement.resources))}")

    def forbid(self, rule):
        """Asks for a request in the name of every role; only some may make it."""
        for role in sorted(self.by_role):
            request = self.stack.request_of(role, rule)
            allowed = any(s.allows(request) for s in self.stack.statements if s.role == role)
            if allowed != (role in rule["only"]):
                self.trouble.append(f"{role} {'may' if allowed else 'may not'} {rule['action']} on {rule['resource']}: {rule['why']}")

    def document(self):
        """The text of docs/permissions.md."""
        text = [HEAD.rstrip("\n")]
        for role in sorted(self.by_role):
            text += ["", f"## {role}", "", "| Statement | Action | Resource | Condition | Used |", "| --- | --- | --- | --- | --- |"]
            number, last = 0, None
            for statement, action, resource, condition, used, reason in (r for r in self.rows if r[0].role == role):
                number += statement is not last
                last = statement
                text.append(f"| {number} | `{action}` | `{resource}` | {f'`{condition}`' if condition else ''} | "
                            f"{'yes' if used and reason is None else self.told(reason)} |")
        text += ["", "## Without a statement", "", "What the recorded requests would be denied if a statement were not there; statements that are",
                 "there for a written reason alone are left out.", "", "| Role | Statement | Denied |", "| --- | --- | --- |"]
        for role in sorted(self.by_role):
            numbers = {id(s): n for n, s in enumerate((s for s in self.stack.statements if s.role == role), 1)}
            text += [f"| {role} | {numbers[id(s)]} | {', '.join(lost)} |" for s, lost in self.lost if s.role == role]
        text += ["", "## Kept apart", "", "Each of these requests is tried in the name of every role and under every policy for people.", "",
                 "| Action | Resource | May | Why nobody else |", "| --- | --- | --- | --- |"]
        for rule in self.forbidden:
            text.append(f"| `{rule['action']}` | `{rule['resource']}` | {', '.join(rule['only']) or 'nobody'} | {rule['why']} |")
        return "\n".join(text) + "\n"

    @staticmethod
    def told(reason):
        """A reason as the document gives it."""
        if reason is None:
            return "**no**"
        return reason["reason"] + (f" ([AWS]({reason['source']}))" if "source" in reason else "")


def is_service(principal):
    """Whether a service of AWS asked in its own name."""
    return principal.endswith(".amazonaws.com")


HEAD = """# Who may do what

Generated by `make e2e UPDATE=1` from the deployed roles and from the requests that the end-to-end
tests made; do not edit. The local stack checks every request as IAM does: its signature, the policies
of the role that made it, the policies of resources and keys, and the rights that AWS requires
implicitly (KMS behind S3, DynamoDB and SNS). `make test` fails on a denied request, on a grant that
nothing used and that has no reason here, and on a statement without which every request would still
be allowed: for each statement the recorded requests are evaluated again as if it were not there.

What a request requires implicitly is taken from AWS's pages, not from an account: that DynamoDB asks
KMS for `Decrypt` alone in a caller's name, for one, is yet to be seen on one.
"""


def main(arguments):
    """Runs the check; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack")
    parser.add_argument("record", type=pathlib.Path)
    parser.add_argument("--update", action="store_true", help="write docs/permissions.md")
    options = parser.parse_args(arguments)
    stack = grants.Stack(options.stack, boto3.client("cloudformation"), boto3.client("iam"))
    findings = Findings(stack, grants.requests(options.record), Reasons(HERE / "reasons.json"))
    document = findings.document()
    if options.update:
        DOCUMENT.write_text(document)
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != document:
        findings.trouble.append("docs/permissions.md is out of date: run `make e2e UPDATE=1`")
    for line in findings.trouble:
        print(line, file=sys.stderr)
    used = sum(used for *_, used, _ in findings.rows)
    print(f"{len(findings.rows)} grants of {len(findings.by_role)} roles and policies: {used} used, {len(findings.rows) - used} not, for a "
          f"written reason; {len(findings.denied)} requests denied; without any of {findings.needed} statements one is denied")
    return 1 if findings.trouble else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
