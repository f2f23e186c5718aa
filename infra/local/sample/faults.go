package main

import (
	"strings"
)

// tableFaults returns the faults that follow from a table's columns, its key and
// the form of its file.
func tableFaults(t *table, l look) []fault {
	var faults []fault
	for i := range t.columns {
		c := &t.columns[i]
		if c.required {
			faults = append(faults, wrong(c.name, "required", ""))
		}
		if bad := notOfKind(c.kind); len(bad) > 0 {
			faults = append(faults, wrong(c.name, "type", bad...))
		}
		if c.kind == integer && !c.unlimited {
			faults = append(faults, wrong(c.name, "maximum", "9223372036854775808", "+99999999999999999999", "1"+strings.Repeat("0", 60)))
		}
		faults = append(faults, outOfRange(c)...)
		if c.kind == text {
			faults = append(faults, wrongText(c)...)
		}
		if c.longest > 0 {
			faults = append(faults, wrong(c.name, "maxLength", strings.Repeat("é", c.longest+1), strings.Repeat("e\u0301", c.longest+1), strings.Repeat("a b", c.longest)))
		}
		if len(c.words) > 0 {
			faults = append(faults, wrong(c.name, "enum", "inconnu", swapCase(c.words[0]), c.words[0]+" "))
		}
		if l.extension != "csv" {
			faults = append(faults, wrongKinds(c)...)
		}
	}
	faults = append(faults, fault{plant: plantDuplicate}, fault{plant: plantDuplicateOfRejected}, fault{plant: plantSeveral})
	if l.extension == "csv" {
		return append(faults, csvFaults(l)...)
	}
	return append(faults, jsonFaults(l)...)
}

// notOfKind returns texts that look like values of a kind but are none.
func notOfKind(k kind) []string {
	switch k {
	case integer:
		return []string{"abc", "3.0", "1e3", "12 ", "--5", "+", "0x1F", "1_000", "٣"}
	case number:
		return []string{"douze", "1,50", "NaN", "INF", "-inf", "1 000.00", "1.2.3", "12.5€", "1e", ".", "1e38", "1" + strings.Repeat("0", 5000), "0." + strings.Repeat("0", 5000) + "1", "1e" + strings.Repeat("9", 500)}
	case boolean:
		return []string{"oui", "yes", "2", "tRUE", "vrai", "t"}
	case date:
		return []string{"2024-02-30", "07/10/2024", "2024-1-2", "20241007", "2023-02-29", "2024-10-07T00:00:00Z", "hier", "0000-01-01"}
	case moment:
		return []string{
			"2024-10-07", "2024-10-07T10:15:30", "2024-10-07 10:15:30Z", "2024-13-01T00:00:00Z", "2024-10-07T25:00:00Z",
			"2024-10-07T10:15Z", "2024-10-07T10:15:30+0200", "2023-02-29T10:15:30Z", "1728295200",
			"9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-00:01",
		}
	default:
		return nil
	}
}

// outOfRange makes faults with days that are never meant.
func outOfRange(c *column) []fault {
	early := []string{"0001-01-01", c.earliest}
	late := []string{"2100-01-02", "9999-12-31"}
	switch c.kind {
	case date:
		if c.earliest == "" {
			early[1] = "1899-12-31"
		}
	case moment:
		early = []string{"0001-01-01T00:00:00Z", "1899-12-31T23:59:59.999Z", "1900-01-01T00:00:00+00:01"}
		late = []string{"2100-01-02T00:00:00Z", "9999-12-31T23:59:59Z", "2100-01-01T23:59:59-00:01"}
	default:
		return nil
	}
	return []fault{wrong(c.name, "minimum", early...), wrong(c.name, "maximum", late...)}
}

// wrongText makes the faults of texts that show nothing, and of characters that no
// text may hold.
func wrongText(c *column) []fault {
	faults := []fault{wrong(c.name, "characters", "a\bb", "a\x1b[2Jb", "a\x0bb", "a\x7fb", "a\u0080b", "a\u009fb", "Montr\ufffdal")}
	if c.required {
		faults = append(faults, wrong(c.name, "required", " ", "\t", "\u00a0\u3000", "\ufeff", "\u200b\u2060", "\u2800", "\u3164", "\u0085", "\u202e"))
	}
	return faults
}

func swapCase(word string) string {
	if upper := strings.ToUpper(word); upper != word {
		return upper
	}
	return strings.ToLower(word)
}

// wrong puts a wrong text into a field of a sound record.
func wrong(field, rule string, texts ...string) fault {
	return fault{plant: func(g *garden) {
		r := g.spare()
		r.set(g.column(field), anyOf(&g.dice, texts))
		kind := "field"
		if rule == "foreignKey" {
			kind = "orphan"
		}
		g.spoil(field, rule, kind)
	}}
}

// wrongKinds puts JSON of another kind where a column's is expected.
func wrongKinds(c *column) []fault {
	literals := []string{"[1]", `{"valeur":1}`}
	switch c.kind {
	case text, date, moment:
		literals = append(literals, "42", "true", "-1.5e3")
	case integer, number:
		literals = append(literals, "true", "false")
	case boolean:
	}
	return []fault{{plant: func(g *garden) {
		r, i := g.spare(), g.column(c.name)
		r.set(i, anyOf(&g.dice, literals))
		r.literal[i] = true
		g.spoil(c.name, "type", "field")
	}}}
}

// otherForm returns the same integer written otherwise.
func otherForm(d *dice, key []byte) string {
	switch {
	case d.chance(500):
		return string(key)
	case d.chance(500):
		return "+" + strings.TrimPrefix(string(key), "+")
	default:
		return "00" + strings.TrimPrefix(string(key), "+")
	}
}

// plantDuplicate repeats the key of a sound record that comes before.
func plantDuplicate(g *garden) {
	r := g.spare()
	for _, key := range g.table.keys {
		r.set(g.column(key), otherForm(&g.dice, g.earlier.fields[g.column(key)]))
	}
	g.note(g.write(r), g.table.key(), "primaryKey", "duplicate")
}

// plantDuplicateOfRejected repeats the key of a record that is rejected for
// something else: the first line stands all the same.
func plantDuplicateOfRejected(g *garden) {
	r := g.spare()
	var sound row
	sound.copyFrom(r)
	for i := range g.table.columns {
		c := &g.table.columns[i]
		if c.required && !isKey(g.table, c.name) {
			r.fields[i] = r.fields[i][:0]
			g.spoil(c.name, "required", "field")
			break
		}
	}
	g.note(g.write(&sound), g.table.key(), "primaryKey", "duplicate")
}

// plantSeveral breaks several rules in one record: each is to be reported.
func plantSeveral(g *garden) {
	r := g.spare()
	var fields []string
	for i := range g.table.columns {
		c := &g.table.columns[i]
		if c.required && !isKey(g.table, c.name) {
			r.fields[i] = r.fields[i][:0]
			fields = append(fields, c.name)
		}
	}
	line := g.write(r)
	for _, field := range fields {
		g.note(line, field, "required", "field")
	}
	g.remember()
}

func isKey(t *table, column string) bool {
	for _, key := range t.keys {
		if key == column {
			return true
		}
	}
	return false
}

// orphan makes the fault of a parent that does not exist.
func orphan(field string) fault {
	return wrong(field, "foreignKey", "987654321987654321", "0", "-12", "+4611686018427387904")
}

// cascade makes the fault of a parent that was rejected itself.
func cascade(field, parent string) fault {
	return fault{plant: func(g *garden) {
		keys := g.set.rejected[parent]
		if len(keys) == 0 {
			return
		}
		g.spare().set(g.column(field), anyOf(&g.dice, keys))
		g.spoil(field, "foreignKey", "cascade")
	}}
}

// taken makes the fault of a value that a sound record before has.
func taken(field string) fault {
	return fault{plant: func(g *garden) {
		g.spare().set(g.column(field), string(g.earlier.fields[g.column(field)]))
		g.spoil(field, "unique", "duplicate")
	}}
}

// later makes the fault of a date after the file's.
func later(field string) fault {
	return fault{plant: func(g *garden) {
		g.spare().set(g.column(field), string(appendDate(nil, g.set.day+1+g.dice.low(400))))
		g.spoil(field, field+"_not_after_file", "record")
	}}
}
