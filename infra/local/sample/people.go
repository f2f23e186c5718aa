package main

import (
	"bytes"
	"math/bits"
	"strconv"
	"strings"
)

// clientTable is client_data.
func clientTable() *table {
	return &table{name: "client_data", keys: []string{"client_id"}, columns: []column{
		{name: "client_id", kind: integer, required: true, unlimited: true},
		{name: "first_name", required: true, longest: 50},
		{name: "last_name", required: true, longest: 50},
		{name: "email", required: true},
		{name: "nif", required: true},
		{name: "phone"},
		{name: "birth_date", kind: date},
		{name: "address", longest: 200},
		{name: "city", required: true, longest: 100},
		{name: "country", required: true, words: []string{"FR"}},
		{name: "created_at", kind: moment, required: true},
	}}
}

// employeeTable is employee_data.
func employeeTable() *table {
	return &table{name: "employee_data", keys: []string{"employee_id"}, columns: []column{
		{name: "employee_id", kind: integer, required: true, unlimited: true},
		{name: "first_name", required: true, longest: 50},
		{name: "last_name", required: true, longest: 50},
		{name: "email", required: true},
		{name: "nif", required: true},
		{name: "store_id", kind: integer, required: true},
		{name: "hired_on", kind: date, required: true},
		{name: "left_on", kind: date},
	}}
}

func (s *set) clientFile() work {
	faults := append(personFaults(),
		wrong("client_id", "exclusiveMinimum", "0", "-17", "-90000000000000000000000001"),
		wrong("phone", "pattern", "0612345678", "+1234567", "+1234567890123456", "+33 6 12 34 56 78", "+33(0)612345678", "néant"),
		wrong("country", "enum", "XX", "UK", "FRA", "F", "EU", "99"),
		later("birth_date"),
		fault{plant: func(g *garden) {
			day := string(appendDate(nil, g.set.day+2+g.dice.low(400)))
			g.spare().set(g.column("created_at"), day+anyOf(&g.dice, []string{"T00:00:00Z", "T09:30:00+02:00", "T23:59:59.999Z"}))
			g.spoil("created_at", "created_at_at_most_one_day_after_file", "record")
		}},
	)
	return work{
		table: clientTable(), count: s.rows, extra: faults,
		each: func(ordinal int64, r *row, emit func()) {
			s.client(r, s.clientID(ordinal))
			emit()
		},
		spare: s.client,
	}
}

// personFaults are those of clients and employees alike.
func personFaults() []fault {
	faults := []fault{
		wrong("email", "format", "sans-arobase.example", "deux@@exemple.fr", "a@b@exemple.fr", "@exemple.fr", "jean@", "jean@exemple",
			"jean dupont@exemple.fr", "jean@exemple..fr", "jean@-exemple.fr", "jean@exemple.fr ", "jean@exem_ple.fr",
			strings.Repeat("é", 65)+"@exemple.fr", "jean@"+strings.Repeat("x", 64)+".fr", "jean@"+strings.Repeat("exemple.", 31)+"fra", "jean\u200d@exemple.fr", "jean@１.fr"),
		wrong("nif", "pattern", "123456789", "12345678901", "12345A7890", " 1234567890", "+123456789", "12345 7890", "１２３４５６７８９０"),
		taken("nif"),
	}
	for _, field := range []string{"first_name", "last_name"} {
		faults = append(faults, wrong(field, "pattern", "Jean-Pierre", "O'Neil", "R2D2", "Anne\tMarie", "Dupont.", "Marie😀",
			"Marie\u200b", "Zo\u200dé\u200d", "\u200cMarie", "Ma\u00adrie", "M\u202earie", "\u0301e", "Le\u2028Goff"))
	}
	return faults
}

// newClients is how many of a day's clients were not there before.
func (s *set) newClients() int64 {
	if s.history == 0 {
		return s.rows
	}
	return s.rows - min(s.rows*3/10, s.history)
}

// clientID returns the key of a client by its place in the file: the new ones
// first, then old ones whose records changed.
func (s *set) clientID(ordinal int64) int64 {
	fresh := s.newClients()
	if ordinal < fresh {
		return s.base + 1 + ordinal
	}
	return spread(ordinal-fresh, s.rows-fresh, s.history)
}

// spread returns one of n keys between 1 and last, evenly spaced and different.
func spread(i, n, last int64) int64 {
	hi, lo := bits.Mul64(uint64(i), uint64(last)) //nolint:gosec // both positive
	q, _ := bits.Div64(hi, lo, uint64(n))         //nolint:gosec // positive
	return 1 + int64(q)                           //nolint:gosec // less than last
}

// anyClient returns the key of a sound client of this set or the history, old
// ones more often.
func (s *set) anyClient(d *dice) int64 {
	if s.history > 0 && d.chance(750) {
		return 1 + d.low(s.history)
	}
	return s.base + 1 + d.low(s.newClients())
}

// hugeKey makes some clients' keys wider than any machine's integers, which the
// contract allows.
const hugeKey = "9000000000000000000000"

func appendClientID(b []byte, id int64) []byte {
	if id%997 == 0 {
		b = append(b, hugeKey...)
	}
	return strconv.AppendInt(b, id, 10)
}

// client makes the sound record of a client.
func (s *set) client(r *row, id int64) {
	d := s.dice(topicClient, id)
	r.fields[0] = appendClientID(r.fields[0][:0], id)
	first, last := of(&d, s.words.first), of(&d, s.words.last)
	s.person(r, &d, first, last, id)
	r.fields[4] = s.appendNIF(r.fields[4][:0], s.personNumber(id))
	home := of(&d, s.words.places)
	if d.chance(850) {
		r.set(5, home.dial)
		r.fields[5] = appendPadded(r.fields[5], d.below(10_000_000), 7)
	}
	if d.chance(900) {
		r.fields[6] = appendDate(r.fields[6][:0], s.day-18*365-d.below(30*365)-d.low(45*365))
	}
	if d.chance(920) {
		r.fields[7] = s.appendAddress(r.fields[7][:0], &d)
	}
	r.set(8, home.city)
	r.set(9, home.country)
	r.fields[10] = appendMoment(r.fields[10][:0], &d, s.day-d.low(3650))
	switch id % 509 {
	case 3: // shows nothing, and so counts as missing
		r.set(7, " \u00a0\u200b")
	case 4: // the last moment that is allowed
		r.set(10, string(appendDate(nil, s.day+1))+"T23:59:59.999999Z")
	case 5: // laid out, in the longest way
		r.set(7, strings.Repeat("e\u0301", 197)+"\t\r\n")
	}
}

// person fills the names and the e-mail address, which stand at the same place
// in clients and employees.
func (s *set) person(r *row, d *dice, first, last word, id int64) {
	r.set(1, first.shown)
	r.set(2, last.shown)
	r.set(3, first.plain)
	r.fields[3] = append(r.fields[3], "._-+"[d.low(4)])
	r.fields[3] = append(r.fields[3], last.plain...)
	r.fields[3] = strconv.AppendInt(r.fields[3], id%100_000, 10)
	r.fields[3] = append(r.fields[3], '@')
	r.fields[3] = append(r.fields[3], of(d, s.words.hosts)...)
	switch id % 503 { // what few expect, and the contract allows
	case 3:
		r.set(1, "Marie\u00a0Claire")
	case 4:
		r.set(2, strings.Repeat("e\u0301", 50))
	case 5:
		r.set(1, "क\u200dष")
	case 6:
		r.fields[3] = append(r.fields[3][:bytes.IndexByte(r.fields[3], '@')], "é@bücher.example"...)
	}
}

// personNumber numbers the persons of one set: the history's by their keys, the
// day's after them, below 5,000,000,000.
func (s *set) personNumber(id int64) int64 {
	start := s.day * keysADay
	if id <= start {
		return id
	}
	return 2_500_000_000 + s.day%20*keysADay + id - start
}

// appendNIF appends ten digits that no other person of the set has: a
// multiplication by a number prime to 10^10 loses nothing.
func (s *set) appendNIF(b []byte, number int64) []byte {
	const all, factor = 10_000_000_000, 7_654_321_987
	hi, lo := bits.Mul64(uint64(number), factor) //nolint:gosec // positive
	mixed := bits.Rem64(hi, lo, all)
	return appendPadded(b, int64((mixed+s.seed%all)%all), 10)
}

// appendPadded appends n with zeros before it.
func appendPadded(b []byte, n int64, width int) []byte {
	start := len(b)
	b = strconv.AppendInt(b, n, 10)
	for len(b)-start < width {
		b = append(b, 0)
		copy(b[start+1:], b[start:])
		b[start] = '0'
	}
	return b
}

// appendAddress appends a postal address, often with commas, sometimes with
// several lines or quotes.
func (s *set) appendAddress(b []byte, d *dice) []byte {
	switch d.low(6) {
	case 4:
		b = append(b, "Résidence \"Les Tilleuls\", bât. B\n"...)
	case 5:
		b = append(b, "c/o Mme Lefèvre\r\n3e étage, porte 12\r\n"...)
	}
	b = strconv.AppendInt(b, 1+d.low(250), 10)
	switch d.low(5) {
	case 3:
		b = append(b, " bis"...)
	case 4:
		b = append(b, ", appt. 7"...)
	}
	b = append(b, ' ')
	b = append(b, of(d, s.words.streets)...)
	if d.chance(150) {
		b = append(b, ", BP "...)
		b = strconv.AppendInt(b, d.below(9999), 10)
	}
	return b
}

func (s *set) employeeFile() work {
	faults := append(personFaults(),
		wrong("employee_id", "exclusiveMinimum", "0", "-1", "-90000000000000000000000001"),
		orphan("store_id"),
		cascade("store_id", "store_data"),
		fault{plant: func(g *garden) {
			r := g.spare()
			r.set(g.column("hired_on"), "2020-03-01")
			r.set(g.column("left_on"), anyOf(&g.dice, []string{"2020-02-29", "2019-12-31", "1999-01-01"}))
			g.spoil("left_on", "left_on_not_before_hired_on", "record")
		}},
	)
	return work{
		table: employeeTable(), count: s.employees, extra: faults,
		each: func(ordinal int64, r *row, emit func()) {
			s.employee(r, ordinal+1)
			emit()
		},
		spare: s.employee,
	}
}

func (s *set) employee(r *row, id int64) {
	d := s.dice(topicEmployee, id)
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], id, 10)
	first, last := of(&d, s.words.first), of(&d, s.words.last)
	s.person(r, &d, first, last, id)
	r.fields[4] = s.appendNIF(r.fields[4][:0], 5_000_000_000+s.personNumber(id))
	r.fields[5] = strconv.AppendInt(r.fields[5][:0], 1+d.low(s.stores), 10)
	hired := s.day - 30 - d.low(9000)
	r.fields[6] = appendDate(r.fields[6][:0], hired)
	if d.chance(180) {
		r.fields[7] = appendDate(r.fields[7][:0], hired+d.below(s.day-hired+1))
	}
}
