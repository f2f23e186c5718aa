package main

import (
	"bytes"
	"strings"
)

// overLong is the length of a line that no reader should accept, in bytes: the
// contracts' limit is 1 MiB.
const overLong = 1<<20 + 1<<16

// spoiled makes a fault of the record's bytes: change gets the sound record as
// it would be written.
func spoiled(rule string, change func(g *garden, record []byte) []byte) fault {
	return fault{plant: func(g *garden) {
		g.spare()
		g.note(g.writeText(change(g, g.plain())), "", rule, "malformed")
	}}
}

// csvFaults are the ways to spoil a line of CSV.
func csvFaults(l look) []fault {
	return []fault{
		spoiled("fields", func(g *garden, _ []byte) []byte { // the last field is missing
			g.row.flatten()
			record := g.plain()
			return record[:bytes.LastIndexByte(record, ',')]
		}),
		spoiled("fields", func(_ *garden, record []byte) []byte { return append(record, ",de trop"...) }),
		spoiled("fields", func(g *garden, _ []byte) []byte { return []byte("ligne sans virgule") }),
		spoiled("quote", func(_ *garden, record []byte) []byte { return append([]byte(`8"8`), record...) }),
		spoiled("quote", func(_ *garden, record []byte) []byte { return append(record, `,c'est "beau"`...) }),
		spoiled("quote", func(_ *garden, record []byte) []byte { return append(record, `,"fini" pas tout à fait`...) }),
		spoiled("quote", func(_ *garden, record []byte) []byte { return append(record, `,"a"b"c"`...) }),
		spoiled("quote", func(_ *garden, record []byte) []byte { // its record reaches to the next line
			return append(record, ",\"ouvert\n12,autre\"x"...)
		}),
		spoiled("encoding", func(_ *garden, record []byte) []byte { return append([]byte("\xe9"), record...) }),
		spoiled("encoding", func(_ *garden, record []byte) []byte { return append(record, "\xc3"...) }),
		spoiled("encoding", func(_ *garden, record []byte) []byte { return append(record, "\xed\xa0\x80"...) }),
		spoiled("nul", func(_ *garden, record []byte) []byte { return append(record, 0) }),
		overLongRecord(l),
		{last: true, plant: plantUnclosed},
	}
}

// plantUnclosed opens a quote that nothing closes before the end. The lines after
// it have no quotes, and are sound: reading resumes right after the first.
func plantUnclosed(g *garden) {
	g.spare().flatten()
	record := append([]byte(`"`), g.plain()...)
	g.note(g.writeText(record), "", "quote", "malformed")
	for range 3 {
		g.spare().flatten()
		g.writeText(g.plain())
	}
}

// plain returns the record being spoiled in the file's form, in CSV with no more
// quotes than it needs.
func (g *garden) plain() []byte {
	if g.look.extension == "csv" {
		return appendCSV(nil, &g.row, g.order, false)
	}
	return bytes.Clone(g.encode(&g.row))
}

// overLongRecord makes a line too long, in the files of which one is enough.
func overLongRecord(l look) fault {
	return fault{once: true, plant: func(g *garden) {
		switch g.table.name {
		case "client_data", "payment_data", "return_data":
		default:
			return
		}
		g.spare()
		record := g.plain()
		padding := strings.Repeat("long ", overLong/5)
		if l.extension == "csv" {
			record = append(record, padding...)
		} else {
			record = withMember(record, `"remarque":"`+padding+`"`)
		}
		g.note(g.writeText(record), "", "size", "malformed")
	}}
}

// withMember adds a member at the end of an object.
func withMember(object []byte, member string) []byte {
	return append(append(object[:len(object)-1], ","+member...), '}')
}

// jsonFaults are the ways to spoil an object in JSON or JSON Lines.
func jsonFaults(l look) []fault {
	add := func(member string) func(*garden, []byte) []byte {
		return func(_ *garden, object []byte) []byte { return withMember(object, member) }
	}
	faults := []fault{
		spoiled("fields", add(`"inconnu":1`)),
		spoiled("fields", func(g *garden, object []byte) []byte {
			return withMember(object, `"`+g.table.keys[0]+`":1`)
		}),
		spoiled("json", add(`"inconnu":tru`)),
		spoiled("json", add(`"inconnu":'simple'`)),
		spoiled("json", add(`"inconnu":01`)),
		spoiled("json", add(`"inconnu":NaN`)),
		spoiled("json", add("\"inconnu\":\"tab\tici\"")),
		spoiled("json", func(*garden, []byte) []byte { return []byte("42") }),
		spoiled("json", func(*garden, []byte) []byte { return []byte(`"texte"`) }),
		spoiled("json", func(*garden, []byte) []byte { return []byte("null") }),
		spoiled("json", func(*garden, []byte) []byte { return []byte(`[1,"deux",{"trois":3}]`) }),
		spoiled("encoding", add("\"inconnu\":\"\xe9\"")),
		spoiled("encoding", add("\"inconnu\":\"\xc0\x80\"")),
		spoiled("nul", add("\"inconnu\":\"\x00\"")),
		overLongRecord(l),
	}
	if l.extension == "json" {
		return append(faults, fault{last: true, plant: plantTruncated})
	}
	return append(faults,
		spoiled("json", func(_ *garden, object []byte) []byte { return object[:len(object)*2/3] }),
		spoiled("json", func(_ *garden, object []byte) []byte { return append(object, '}') }),
		spoiled("json", func(_ *garden, object []byte) []byte { return append(object, object...) }),
	)
}

// plantTruncated breaks the array off within its last element.
func plantTruncated(g *garden) {
	g.spare()
	record := g.plain()
	g.note(g.writeText(record[:len(record)/2]), "", "truncated", "malformed")
	g.broken = true
}
