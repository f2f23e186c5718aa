package record

import (
	"bytes"
	"errors"
	"testing"
)

// fuzzSettings turns the numbers that the fuzzer makes up into limits.
func fuzzSettings(chunkBytes, limit uint16) (Limits, bounds, int) {
	limits := Limits{ChunkBytes: 1 + int64(chunkBytes%512), ChunkRecords: int64(chunkBytes % 5)}
	return limits, bounds{record: 8 + int(limit%256), buffer: 1 + int(limit%97)}, 1 + int(limit%13)
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"", "1,2,3\n", "\"a\nb\",2,3\r\n4,5,6", "\"open\n1,2,3\n", "1,x\"y,3\n\n\r\n", "\"a\"b\",2,3\n", "\r\n\r1,2,3\r", "\"\"\"\n", "1,\xff,\x00\n",
		"1,\"TV 55\"\",3\n4,5,6\n\"7\",8,9\n", "\"x\n4,5,6\ny\",2\n", "1,\"x\ny\",3\n", "\"a\nb\",2,\"open\n4,5,6\n", "\"\n\"\n\"\n", "\"\"\"\n\"\"\"\n", "\"a\\\",2,3\r\n",
		"\"aaaaaaaaaaaaaaaa\"\"b\",2,3\n", "aaaaaaaaaaaaaaaaaaaaaaaaa,\"x\ny\",3\n1,2,3\n",
	} {
		f.Add([]byte(seed), uint16(30), uint16(9))
	}
	f.Fuzz(func(t *testing.T, text []byte, chunkBytes, limit uint16) {
		limits, size, step := fuzzSettings(chunkBytes, limit)
		checkCSV(t, "b,a,c\n", string(text), limits, size, step)
	})
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		"", "]", "{\"a\":1},{\"b\":\"x\"}]", "{\"a\":1},]", "1,\"x\",null,[],{}]", "{\"a\":\"x\"y\"},{}]", "{\"a\":tru},{\"a\":1}]\n x", "{\"a\":1}}]",
		"{\"a\":\"\\ud83d\\ude00\\u0000\"},{\"\\u0061\":[1,{\"]\":2}]}]", "{\"a\":1", "{\"a\":1}", "{\"a\":1},", "\"\\", "{\"a\":1}                    ]", "{\"z\":1,\"a\":2},{\"z\":null}]", "{\"b\":1},{\"c\":2}]",
	} {
		f.Add([]byte(seed), uint16(30), uint16(9))
	}
	f.Fuzz(func(t *testing.T, text []byte, chunkBytes, limit uint16) {
		limits, size, step := fuzzSettings(chunkBytes, limit)
		checkJSON(t, "\xEF\xBB\xBF", "["+string(text), limits, size, step)
	})
}

func FuzzJSONLines(f *testing.F) {
	for _, seed := range []string{
		"", "{\"a\":1}\n{\"b\":-0.5E+7}\r\n\n", "{}\n[]\n1\n{", "{\"a\":\"\\u00e9\\n\"}", " \t{\"c\":true} \r\n", "\r{\"a\":null}\r\r\n", "[\n{\"a\":1}\n]\n", "{\n  \"a\": 1\n}\n", "{\"a\":[1,\n2]}\n", "{\"z\":1}\n{\"z\":2}", "{\"a\":\"x\n\"b\":1}", "{\"a\":01}\n{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(seed), uint16(30), uint16(9))
	}
	f.Fuzz(func(t *testing.T, text []byte, chunkBytes, limit uint16) {
		limits, size, step := fuzzSettings(chunkBytes, limit)
		checkJSONL(t, "\xEF\xBB\xBF", string(text), limits, size, step)
	})
}

// FuzzCut gives Cut whole files, header and all: it must return chunks that
// cover the file and can be read, or a FileError.
func FuzzCut(f *testing.F) {
	for _, seed := range []string{"a,b,c\n1,2,3\n", "\xff\xfea\x00", "\xEF\xBB\xBF\n", "c;b;a", "\x1f\x8b\x08", "PK\x03\x04", "a,b,c\r1,2,3\r", "a, b,C,d,\n", "a,b,c,d", "[{\"a\":1}]", "{\"a\":1}\n", "a\x00", "\"a\"\"\",b\n", "{}", "\xEF\xBB"} {
		for kind := range uint8(3) {
			f.Add([]byte(seed), kind, uint16(30), uint16(9))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, kind uint8, chunkBytes, limit uint16) {
		limits, size, step := fuzzSettings(chunkBytes, limit)
		layout := testLayout([]Format{CSV, JSON, JSONL}[kind%3])
		chunks, scan, err := cutAll(data, layout, limits, size, step)
		if err != nil {
			if _, ok := errors.AsType[*FileError](err); !ok {
				t.Fatalf("Cut(%q): %v", data, err)
			}
			return
		}
		var total int64
		for i, c := range chunks {
			records, err := readAll(newReader(bytes.NewReader(data[c.Start:c.End]), c, layout, scan.Header, size))
			if err != nil {
				t.Fatalf("chunk %+v of %q: %v", c, data, err)
			}
			total += int64(len(records))
			if i > 0 && chunks[i-1].End != c.Start {
				t.Fatalf("Cut(%q): gap before chunk %+v", data, c)
			}
		}
		if total != scan.Records || scan.Bytes != int64(len(data)) {
			t.Fatalf("Cut(%q) = %+v, but the chunks hold %d records", data, scan, total)
		}
	})
}
