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
		spoiled("quote", func(g *garden, _ []byte) []byte { // a slip in the first field takes no further line of the record
			g.row.flatten()
			return append([]byte(`8"8`), g.plain()...)
		}),
		spoiled("quote", func(_ *garden, record []byte) []byte { return append(record, `,c'est "beau"`...) }),
		spoiled("quote", func(_ *garden, record []byte) []byte { return append(record, `,"fini" pas tout à fait`...) }),
		spoiled("quote", func(_ *garden, record []byte) []byte { return append(record, `,"a"b"c"`...) }),
		{plant: plantBehindColumns},
		{plant: plantInchMark},
		{plant: plantUnclosedAnywhere},
		{plant: plantLineEndInKey},
		{plant: plantSmuggled},
		spoiled("encoding", func(_ *garden, record []byte) []byte { return append([]byte("\xe9"), record...) }),
		spoiled("encoding", func(_ *garden, record []byte) []byte { return append(record, "\xc3"...) }),
		spoiled("encoding", func(_ *garden, record []byte) []byte { return append(record, "\xed\xa0\x80"...) }),
		spoiled("nul", func(_ *garden, record []byte) []byte { return append(record, 0) }),
		overLongRecord(l),
		{last: true, plant: plantUnclosed},
	}
}

// plantBehindColumns adds a field behind the last column, with a line end and then
// text behind its closing quote: each of the two lines is a reject.
func plantBehindColumns(g *garden) {
	g.spare()
	g.noteLines(g.writeText(append(g.plain(), ",\"ouvert"...)), g.writeText([]byte("12,autre\"x")))
}

// plantInchMark puts a quote before the closing one of a field: what follows up
// to the next quote looks like the field's text.
func plantInchMark(g *garden) {
	g.spare().flatten()
	g.noteLines(g.writeText(g.withField(g.anyColumn(), `"TV 55""`)))
}

// plantUnclosedAnywhere leaves the closing quote of a field out.
func plantUnclosedAnywhere(g *garden) {
	g.spare().flatten()
	g.noteLines(g.writeText(g.withField(g.anyColumn(), `"12 rue Neuve`)))
}

// plantLineEndInKey breaks the line within the quoted key, which is no text: each
// of the two lines is a reject.
func plantLineEndInKey(g *garden) {
	g.spare().flatten()
	record := g.withField(g.column(g.table.keys[0]), "\"12\n3\"")
	first, second, _ := bytes.Cut(record, []byte("\n"))
	g.noteLines(g.writeText(first), g.writeText(second))
}

// plantSmuggled hides what looks like a sound record in a field behind the last
// column, which closes well: the record is one reject, and nothing of it is read.
func plantSmuggled(g *garden) {
	g.spare().flatten()
	record := g.plain()
	hidden := append(append(bytes.Clone(record), ",\"ici\n"...), record...)
	g.note(g.writeText(append(hidden, "\nfin\""...)), "", "fields", "malformed")
}

// withField returns the record in the file's form, with a column's text as it is.
func (g *garden) withField(column int, text string) []byte {
	const mark = "@@@"
	g.row.set(column, mark)
	return bytes.Replace(g.plain(), []byte(mark), []byte(text), 1)
}

// anyColumn returns the position of a column drawn by lot.
func (g *garden) anyColumn() int { return int(g.dice.below(int64(len(g.table.columns)))) }

// noteLines lists lines that a quote out of place rejects.
func (g *garden) noteLines(lines ...int64) {
	for _, line := range lines {
		g.note(line, "", "quote", "malformed")
	}
}

// plantUnclosed opens a quote that nothing closes before the end. The lines after
// it have no quotes, and are sound: reading resumes right after the first. In one
// file the last of them has no line end.
func plantUnclosed(g *garden) {
	g.spare().flatten()
	record := append([]byte(`"`), g.plain()...)
	g.note(g.writeText(record), "", "quote", "malformed")
	for range 3 {
		g.spare().flatten()
		g.writeText(g.plain())
	}
	g.open = g.table.name == "store_data"
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
		return faults // what breaks a line breaks the array, and with it the file
	}
	return append(faults,
		spoiled("json", func(_ *garden, object []byte) []byte { return object[:len(object)*2/3] }),
		spoiled("json", func(_ *garden, object []byte) []byte { return append(object, '}') }),
		spoiled("json", func(_ *garden, object []byte) []byte { return append(object, object...) }),
	)
}
