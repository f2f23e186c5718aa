"""The count of lines finds what a reader loses, doubles or makes up."""

import contextlib
import io
import json
import os
import tempfile
import unittest
from unittest import mock

import linecount


def total(lines, header, records, continued, blank):
    return {"lines": lines, "header": header, "records": records, "continued": continued, "blank": blank}


class Count(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, content, name="x.csv"):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_sound(self):
        for content, reported, want in (
            (b"a,b\n", [], total(1, 1, 0, 0, 0)),
            (b"a,b", [], total(1, 1, 0, 0, 0)),
            (b"\xef\xbb\xbf\r\na,b\r\n1,2\r\n\r\n3,4", [3, 5], total(5, 1, 2, 0, 2)),
            (b'a,b\n1,"x\n\ny"\n3,4\n\n', [2, 5], total(6, 1, 2, 2, 1)),
            (b'a,b\n1,"say ""x\n"" y"\n3,4\n', [2, 4], total(4, 1, 2, 1, 0)),
            (b'a,b\n1,"TV 55""\n3,4\n5,"6"\n', [2, 3, 4], total(4, 1, 3, 0, 0)),
            (b"a,b\n   \n1,2\n", [2, 3], total(3, 1, 2, 0, 0)),
        ):
            with self.subTest(content):
                self.assertEqual(linecount.count(self.file(content), reported), want)

    def test_json_lines(self):
        path = self.file(b'{"a":"\n{}\n\n{"b":1}', "x.jsonl")
        self.assertEqual(linecount.count(path, [1, 2, 4]), total(4, 0, 3, 0, 1))
        with self.assertRaises(linecount.Lost):
            linecount.count(path, [1, 4])

    def test_lost(self):
        for content, reported, continued, message in (
            (b"a,b\n1,2\n3,4\n", [2], None, "line 3 belongs to no record"),
            (b"a,b\n1,2\n3,4\n", [2, 3, 3], None, "line 3 starts two records"),
            (b"a,b\n1,2\n", [2, 9], None, "line 9 is reported, but the file has 2 lines"),
            (b"a,b\n1,2\n", [1, 2], None, "line 1 starts a record, but is the header"),
            (b"a,b\n1,2\n\n", [2, 3], None, "line 3 starts a record, but is blank"),
            (b'a,b\n1,"x"\ny\n', [2], None, "line 3 belongs to no record"),
            (b'a,b\n1,"TV 55""\n3,4\n5,"6"\n', [2], 0, "2 lines continue a record, where 0 should"),
        ):
            with self.subTest(content), self.assertRaises(linecount.Lost) as caught:
                linecount.count(self.file(content), reported, continued=continued)
            self.assertEqual(str(caught.exception), message)

    def test_without_header(self):
        self.assertEqual(linecount.count(self.file(b"1,2\n"), [1], header=False), total(1, 0, 1, 0, 0))

    def test_reported(self):
        for text, want in (
            ("[2, 4]", [2, 4]),
            ('[{"line": 2}, {"line_number": 4}]', [2, 4]),
            ("2\n4\n", [2, 4]),
            ("resource,line_number\nclients,2\nclients,4\n", [2, 4]),
            ("line\n2\n", [2]),
            ("", []),
            ("[]", []),
        ):
            with self.subTest(text):
                self.assertEqual(linecount.read_reported(text), want)

    def test_command(self):
        path, reported = self.file(b"a,b\n1,2\n"), self.file(b"[2]", "lines")
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self.assertEqual(linecount.main([path, reported, "--continued", "0"]), 0)
            with mock.patch("sys.stdin", io.StringIO("")):
                self.assertEqual(linecount.main([path]), 1)
            for usage in ([path, reported + ".none"], [self.file(b"[]", "x.json"), reported], []):
                with self.assertRaises(SystemExit) as left:
                    linecount.main(usage)
                self.assertEqual(left.exception.code, 2)
        self.assertEqual(json.loads(out.getvalue()), total(2, 1, 1, 0, 0))
        self.assertIn("line 2 belongs to no record", err.getvalue())

    def test_unreadable(self):
        path, reported = self.file(b"a,b\n1,2\n"), self.file(b"[2]", "lines")
        for arguments in (
            [path + ".none", reported],
            [self.folder, reported],
            [path, path + ".none"],
            [path, self.folder],
            [path, self.file(b"[2", "cut")],
            [path, self.file(b"[null]", "null")],
            [path, self.file(b'["2"]', "text")],
            [path, self.file(b'[{"row": 2}]', "other")],
            [path, self.file(b"\xff\xfe2", "wide")],
            [path, self.file(b"resource,line\nclients\n", "short")],
        ):
            err = io.StringIO()
            with self.subTest(arguments), contextlib.redirect_stderr(err):
                with self.assertRaises(SystemExit) as left:
                    linecount.main(arguments)
                self.assertEqual(left.exception.code, 2)
                self.assertIn("cannot be read", err.getvalue())
                self.assertNotIn("Traceback", err.getvalue())


if __name__ == "__main__":
    unittest.main()
