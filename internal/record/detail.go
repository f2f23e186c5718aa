package record

import (
	"strconv"
	"strings"
)

// maxListed is how many names and positions a [Detail] holds at most.
const maxListed = 10

// Detail describes what is wrong with the fields of a record with [FaultFields].
// It holds no value. Of the names that the contract lacks it holds only those that
// differ from one of its columns by a typing error.
type Detail struct {
	Fields, Expected int      // CSV: number of fields, and of the columns of the file
	Repeated         []string // JSON: columns that come twice, at most ten
	Near             []string // JSON: unknown members with nearly a column's name, at most ten
	Hidden           int      // JSON: number of the other unknown members
	Positions        []int    // JSON: their positions in the object, from 1, at most ten
}

// Code returns the fault with its detail as one word each, as it is staged:
// "quote", "fields found=8 expected=7", "fields twice=a,b near=c hidden=2
// at=3,7". [ParseCode] reads it.
func (r *Record) Code() string {
	if r.Fault != FaultFields {
		return string(r.Fault)
	}
	words := []string{string(r.Fault)}
	add := func(key, value string) { words = append(words, key+"="+value) }
	d := &r.Detail
	if d.Expected > 0 {
		add("found", strconv.Itoa(d.Fields))
		add("expected", strconv.Itoa(d.Expected))
	}
	if len(d.Repeated) > 0 {
		add("twice", strings.Join(d.Repeated, ","))
	}
	if len(d.Near) > 0 {
		add("near", strings.Join(d.Near, ","))
	}
	if d.Hidden > 0 {
		places := make([]string, len(d.Positions))
		for i, p := range d.Positions {
			places[i] = strconv.Itoa(p)
		}
		add("hidden", strconv.Itoa(d.Hidden))
		add("at", strings.Join(places, ","))
	}
	return strings.Join(words, " ")
}

// ParseCode reads what [Record.Code] returned. Words that it does not know are
// left out: a stream may have been staged by another version.
func ParseCode(code string) (Fault, Detail) {
	words := strings.Split(code, " ")
	var d Detail
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "found":
			d.Fields, _ = strconv.Atoi(value)
		case "expected":
			d.Expected, _ = strconv.Atoi(value)
		case "twice":
			d.Repeated = strings.Split(value, ",")
		case "near":
			d.Near = strings.Split(value, ",")
		case "hidden":
			d.Hidden, _ = strconv.Atoi(value)
		case "at":
			for place := range strings.SplitSeq(value, ",") {
				n, _ := strconv.Atoi(place)
				d.Positions = append(d.Positions, n)
			}
		}
	}
	return Fault(words[0]), d
}
