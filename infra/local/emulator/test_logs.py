"""The mends in CloudWatch Logs."""

import asyncio
import json
import unittest

from ministack.services import cloudwatch_logs as logs

import harness  # noqa: F401  installs the extension


def call(action, **data):
    """Calls the service; returns the status and the answer."""
    status, _, body = asyncio.run(logs.handle_request("POST", "/", {"x-amz-target": "Logs_20140328." + action}, json.dumps(data), {}))
    return status, json.loads(body)


class FilterTest(unittest.TestCase):
    def setUp(self):
        logs.reset()
        self.addCleanup(logs.reset)
        call("CreateLogGroup", logGroupName="g")
        for name in ("a", "b"):
            call("CreateLogStream", logGroupName="g", logStreamName=name)
        self.put("a", range(0, 12000, 2))
        self.put("b", range(1, 12000, 2))

    def put(self, stream, numbers):
        """Writes an event for each number, ten of them in each millisecond."""
        events = [{"timestamp": 1000 + n // 10, "message": "%s %d" % ("even" if n % 2 == 0 else "odd", n)} for n in numbers]
        call("PutLogEvents", logGroupName="g", logStreamName=stream, logEvents=events)

    def pages(self, **data):
        """Returns the messages of each page."""
        token, found = {}, []
        while True:
            status, page = call("FilterLogEvents", logGroupName="g", **data, **token)
            self.assertEqual(status, 200)
            found.append([each["message"] for each in page["events"]])
            if "nextToken" not in page:
                return found
            token = {"nextToken": page["nextToken"]}

    def test_all_pages(self):
        pages = self.pages()
        self.assertEqual([len(page) for page in pages], [10000, 2000])
        self.assertEqual(len(set(pages[0] + pages[1])), 12000)

    def test_full_last_page_is_the_last(self):
        self.assertEqual([len(page) for page in self.pages(limit=6000)], [6000, 6000])

    def test_filters(self):
        self.assertEqual([len(page) for page in self.pages(filterPattern="odd", limit=4000)], [4000, 2000])
        self.assertEqual([len(page) for page in self.pages(logStreamNames=["a", "none"])], [6000])
        self.assertEqual(sorted(self.pages(startTime=1001, endTime=1001)[0]), sorted("%s %d" % ("even" if n % 2 == 0 else "odd", n) for n in range(10, 20)))

    def test_refusals(self):
        status, answer = call("FilterLogEvents", logGroupName="none")
        self.assertEqual((status, answer["__type"]), (400, "ResourceNotFoundException"))
        status, answer = call("FilterLogEvents", logGroupName="g", nextToken="x")
        self.assertEqual((status, answer["__type"]), (400, "InvalidParameterException"))


if __name__ == "__main__":
    unittest.main()
