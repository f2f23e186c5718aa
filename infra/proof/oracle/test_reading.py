"""What each malformed record takes with it, and nothing else."""

import os
import tempfile
import unittest

import reading

MAX = reading.MAX_RECORD


def read(extension, content, required=()):
    """Returns [(line, fault, values)] of a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x." + extension)
        with open(path, "wb") as file:
            file.write(content)
        return [
            (line, fault, None if fault else values)
            for line, fault, values in reading.records(path, ("a", "b"), ("b",), required)
        ]


class CSV(unittest.TestCase):
    CASES = {
        "plain": (b"1,2\n3,4", [(2, None, ["1", "2"]), (3, None, ["3", "4"])]),
        "CRLF, and an end without LF": (b"1,2\r\n3,4\r", [(2, None, ["1", "2"]), (3, None, ["3", "4\r"])]),
        "lone CR is data": (b"1\r,2\n", [(2, None, ["1\r", "2"])]),
        "blank lines": (b"\n\r\n1,2\n\n3,4\n", [(4, None, ["1", "2"]), (6, None, ["3", "4"])]),
        "missing": (b',""\n', [(2, None, [None, None])]),
        "spaces are data": (b" ,  2\n", [(2, None, [" ", "  2"])]),
        "quoted": (b'"a""b","c,d\n\r\ne"\r\n1,2\n', [(2, None, ['a"b', "c,d\n\r\ne"]), (5, None, ["1", "2"])]),
        "few and many": (b"1\n1,2,3\n1,2\n", [(2, "fields", None), (3, "fields", None), (4, None, ["1", "2"])]),
        "quote inside": (b'1"2",3\n4,5\n', [(2, "quote", None), (3, None, ["4", "5"])]),
        "quote inside opens nothing": (b'x"1,2\n3,4\n', [(2, "quote", None), (3, None, ["3", "4"])]),
        "a slip ends its line": (b'x"1,"2\n3"\n4,5\n', [(2, "quote", None), (3, "quote", None), (4, None, ["4", "5"])]),
        "inch mark": (b'1,"TV 55""\n2,a\n3,"b"\n', [(2, "quote", None), (3, None, ["2", "a"]), (4, None, ["3", "b"])]),
        "no line end in a": (b'"1\n2",3\n4,5\n', [(2, "quote", None), (3, "quote", None), (4, None, ["4", "5"])]),
        "CRLF in a": (b'"1\r\n",3\r\n4,5\r\n', [(2, "quote", None), (3, "quote", None), (4, None, ["4", "5"])]),
        "nothing smuggled": (b'1,"x\n4,5\ny",3\n6,7\n', [(2, "fields", None), (5, None, ["6", "7"])]),
        "nor beyond the columns": (b'1,2,"x\n4,5\n"\n6,7\n', [(2, "fields", None), (5, None, ["6", "7"])]),
        "a slip behind a line end": (b'1,"x\ny","z\n6,7\n', [(2, "quote", None), (4, None, ["6", "7"])]),
        "backslash last": (b'"C:\\","2"\n', [(2, None, ["C:\\", "2"])]),
        "text after": (b'"1"x,2\n3,4\n', [(2, "quote", None), (3, None, ["3", "4"])]),
        "CR after": (b'1,"2"\rx\n3,4\n', [(2, "quote", None), (3, None, ["3", "4"])]),
        "unclosed": (b'1,"2\n3,4\n5,6', [(2, "quote", None), (3, None, ["3", "4"]), (4, None, ["5", "6"])]),
        "closed by another's": (b'1,"2\n3,"4"\n5,6\n', [(2, "quote", None), (3, None, ["3", "4"]), (4, None, ["5", "6"])]),
        "Latin-1": (b"\xe9,2\n3,4\n", [(2, "encoding", None), (3, None, ["3", "4"])]),
        "surrogate": (b"\xed\xa0\x80,2\n", [(2, "encoding", None)]),
        "NUL": (b"1,\x00\n3,4\n", [(2, "nul", None), (3, None, ["3", "4"])]),
        "the first fault counts": (b'1"\x00\xe9\n', [(2, "quote", None)]),
    }

    def test_cases(self):
        for name, (content, want) in self.CASES.items():
            with self.subTest(name):
                self.assertEqual(read("csv", b"a,b\n" + content), want)

    def test_limit(self):
        for length, fault in ((MAX, None), (MAX + 1, "size")):
            record = b"x" * (length - 2) + b",1"
            self.assertEqual([f for _, f, _ in read("csv", b"a,b\n" + record + b"\n1,2")], [fault, None])

    def test_unclosed_within_limit(self):
        line = b"3,4\n"
        content = b'a,b\n1,"2\n' + line * (MAX // len(line)) + b'5,"6"\n'
        got = read("csv", content)
        self.assertEqual(got[0], (2, "quote", None))
        self.assertEqual(got[1], (3, None, ["3", "4"]))
        self.assertEqual(got[-1][1:], (None, ["5", "6"]))
        self.assertEqual(len(got), 2 + MAX // len(line))

    def test_header(self):
        self.assertEqual(read("csv", reading.BOM + b'"b",a\r\n1,2\n'), [(2, None, ["2", "1"])])
        for content, reason in (
            (b"", "empty"),
            (reading.BOM + b"\r\n\n", "empty"),
            (b"a,c\n1,2", "header"),
            (b"a,b,b\n", "header"),
            (b"a\n", "header"),
            (b"\xff\xfea\x00", "encoding"),
            (b"a,\xe9\n", "encoding"),
            (b"a,b\r1,2\r", "header"),
            (b'a,"b\n"\n', "header"),
            (b"a,b\n1,2\r3,4\r", "line ends"),
            (b'a,b\r\n1,2\r3,"4"\r5,6\r\n\r\n7,8,\r9,0\r1,2\r\n', "line ends"),
            (b"\x1f\x8b\x08", "compressed"),
            (b"PK\x03\x04", "compressed"),
            (b"BZh91AY&SY", "compressed"),
        ):
            with self.subTest(content), self.assertRaises(reading.FileFault) as caught:
                read("csv", content)
            self.assertEqual(caught.exception.reason, reason)
        for content in (b"a,b\n1,2\r3,4\n5,6\n", b"a,b\n1\r3,4\n", b'a,b\n1,"2\r2"\n', b"a,b\n1\r\n"):
            with self.subTest(content):
                self.assertGreater(len(read("csv", content)), 0)


class JSON(unittest.TestCase):
    OBJECTS = {
        b'{"a":"x","b":1.50}': (None, ["x", "1.50"]),
        b'{"b":"x"}': (None, [None, "x"]),
        b'{"a":null,"b":""}': (None, [None, None]),
        b'{"a":true,"b":[1]}': (None, [True, ["1"]]),
        b'{"a":"\\u00e9\\ud83d\\ude00\\n"}': (None, ["é😀\n", None]),
        b'{"a":1,"c":2}': ("fields", None),
        b'{"a":1,"a":2}': ("fields", None),
        b'{"a":tru}': ("json", None),
        b'{"a":01}': ("json", None),
        b'{"a":NaN}': ("json", None),
        b'{"a":"\t"}': ("json", None),
        b"42": ("json", None),
        b"null": ("json", None),
        b'["a"]': ("json", None),
        b'{"a":"\x00"}': ("nul", None),
        b'{"a":"\\u0000"}': ("nul", None),
        b'{"a":"\xe9"}': ("encoding", None),
        b'{"a":"\\ud800"}': ("encoding", None),
        b'{"a":"' + b"x" * (MAX - 7) + b'"}': ("size", None),
    }

    def test_objects(self):
        for content, (fault, values) in self.OBJECTS.items():
            with self.subTest(content[:40]):
                self.assertEqual(read("jsonl", b"{}\n\n" + content + b"\r\n")[1:], [(3, fault, values)])
                self.assertEqual(read("json", b"[{}, " + content + b"\n]")[1:], [(2, fault, values)])

    def test_number_is_told_from_text(self):
        values = read("jsonl", b'{"a":1,"b":"1"}')[0][2]
        self.assertIsInstance(values[0], reading.Number)
        self.assertNotIsInstance(values[1], reading.Number)

    def test_arrays(self):
        for content, faults in (
            (b"[]", []),
            (b" [ ] \n", []),
            (b"[{},{}]", [None, None]),
            (b"[{},,{}]", [None, "json", None]),
            (b"[{} {},{}]", ["json", None]),
            (b'[{"a":"]},{"},{}]', [None, None]),
        ):
            with self.subTest(content):
                got = read("json", content)
                self.assertEqual([fault for _, fault, _ in got], faults)
                self.assertEqual([line for line, _, _ in got], list(range(1, len(got) + 1)))

    def test_whole_files(self):
        for extension, content, reason in (
            ("json", b"[{},{]},{}]", "json"),
            ("json", b'[{},{"a":"x"y"},{}]', "json"),
            ("json", b'[{},{"a":', "json"),
            ("json", b"[{},{}", "json"),
            ("json", b"[{},", "json"),
            ("json", b"[{}] {}", "json"),
            ("json", b"[][]", "json"),
            ("json", b'[{"c":1},{"a":1,"c":2}]', "members"),
            ("json", b'[{"b":1},{"b":2}]', "members"),
            ("jsonl", b'{"a":1,"c":1}\n[]\n{"a":1,"c":2}', "members"),
            ("jsonl", b'[{"a":1}]\n', "json"),
            ("jsonl", b'{\n"a":1\n}\n', "json"),
            ("jsonl", b'{"a":[1,\n2]}\n', "json"),
            ("jsonl", b"\x28\xb5\x2f\xfd", "compressed"),
            ("jsonl", b'{"a":1}\r{"a":2}\r', "line ends"),
            ("jsonl", b'{"a":1} \r\t{"a":NaN}\r\n{"a":1}\r{"a":2}\n', "line ends"),
        ):
            with self.subTest(content), self.assertRaises(reading.FileFault) as caught:
                read(extension, content, required=("a",))
            self.assertEqual(caught.exception.reason, reason)
        for content in (b'{"a":1,"c":1}\n{"a":1}\n', b'{"a":1,\n{"a":2}\n', b'{"a":"x\n{"a":2}\n', b'{"a":1}\n{\n"a":1}\n', b'{"a":1}\r{"a":2}\n{"a":3}\n'):
            with self.subTest(content):
                self.assertGreater(len(read("jsonl", content, required=("a",))), 1)

    def test_lines_are_physical(self):
        got = read("jsonl", b'{"a":1}\n\n{"a":\n{"a":2}')
        self.assertEqual([(line, fault) for line, fault, _ in got], [(1, None), (3, "json"), (4, None)])

    def test_no_array(self):
        with self.assertRaises(reading.FileFault):
            read("json", b'{"a":1}')


if __name__ == "__main__":
    unittest.main()
