//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"etl-dataloader/internal/contract"
)

// canaryName is the first name of a client that is nowhere else.
const canaryName = "Canarialpha"

// canaryKey and canaryPassword authenticate the functions at the sources of clients and of
// products (infra/local/runner/services.py). They are nowhere in the files.
const (
	canaryKey      = "Canarilima-7Qd2mXw9"
	canaryPassword = "Canarimike-5Rt8pLc3"
)

// canarySegment and canaryScore are what the enrichment source answers for the valid
// client of the canaries. They are nowhere in the files.
const (
	canarySegment = "essentiel-a9202aa9"
	canaryScore   = "0.074492983985"
)

// canaries are sensitive values that are unlike anything else: of a valid client,
// of one that is rejected, of a malformed line, of an employee and a supplier; what
// authenticates at the enrichment sources, and what that of clients answers.
var canaries = []string{ //nolint:gochecknoglobals // a constant list
	"918273645546372819", canaryName, "Canaribravo", "canari.charlie@example.com", "9182736450", "+33918273645", "1903-02-01",
	"7 impasse du Canari Delta", "Canari3cho", "canari.foxtrot.at.example", "CANARINIF7", "Canarigolf et canari.hotel@example.com",
	"819273645546372818", "Canarindia", "canari.juliette@example.com", "canari.kilo@example.com", "DE12500105170648489890", canaryKey, canaryPassword, canarySegment, canaryScore,
}

// planted are the records with canaries, by file type: the members in the order
// of the contract. The first client is valid; the second is rejected.
var planted = map[string][][]string{ //nolint:gochecknoglobals // a constant table
	"client_data": {
		{"918273645546372819", canaryName, "Canaribravo", "canari.charlie@example.com", "9182736450", "+33918273645", "1903-02-01", "7 impasse du Canari Delta", "Lyon", "FR", "2024-10-01T08:00:00Z"},
		{"918273645546372820", "Canari3cho", "Canaribravo", "canari.foxtrot.at.example", "CANARINIF7", "+33918273645", "1903-02-01", "", "Lyon", "FR", "2024-10-01T08:00:00Z"},
	},
	"employee_data": {{"819273645546372818", "Canarindia", "Canaribravo", "canari.juliette@example.com", "9182736451", "1", "2020-01-01", ""}},
	"supplier_data": {{"876543", "Canari SA", "canari.kilo@example.com", ""}},
	"payment_data":  {{"876543987", "1", "10.00", "virement", "DE12500105170648489890", "2024-10-01T08:00:00Z"}},
}

// malformed is a line that no reader can make a record of.
const malformed = "Canarigolf et canari.hotel@example.com"

// plantCanaries adds the records with canaries to a set, and a malformed line to
// its clients, but for a JSON array. In CSV they come first, so that a missing
// header would make a canary one.
func (s *system) plantCanaries(t *testing.T, of set) {
	t.Helper()
	for _, r := range s.contract.Resources {
		records := planted[r.FileType]
		if records == nil {
			continue
		}
		path := of.path(of.file(t, r.FileType))
		content := read(t, path)
		lines := [][]byte{}
		for _, record := range records {
			if filepath.Ext(path) == ".csv" {
				lines = append(lines, row(t, r, record, content))
			} else {
				lines = append(lines, object(t, r, record))
			}
		}
		if r.FileType == "client_data" && filepath.Ext(path) != ".json" {
			lines = append(lines, []byte(malformed))
		}
		switch filepath.Ext(path) {
		case ".csv":
			header, rest, _ := bytes.Cut(content, []byte("\n"))
			content = bytes.Join(slices.Concat([][]byte{header}, lines, [][]byte{rest}), []byte("\n"))
		case ".jsonl":
			content = append(append(bytes.Join(lines, []byte("\n")), '\n'), content...)
		default:
			start := bytes.IndexByte(content, '[') + 1
			content = bytes.Join([][]byte{content[:start], append(bytes.Join(lines, []byte(",\n")), ','), content[start:]}, nil)
		}
		write(t, path, content)
	}
}

// plantLongLine ends the clients of a set with a line of 10 MB.
func (sc *scenario) plantLongLine(t *testing.T, of set) {
	t.Helper()
	path := of.path(of.file(t, "client_data"))
	write(t, path, append(read(t, path), bytes.Repeat([]byte("x"), 10<<20)...))
}

// row is a record as CSV, in the order of a file's header.
func row(t *testing.T, r *contract.Resource, record []string, content []byte) []byte {
	t.Helper()
	header, _, _ := strings.Cut(strings.TrimPrefix(string(content), "\uFEFF"), "\n")
	var cells []string
	for name := range strings.SplitSeq(strings.TrimSuffix(header, "\r"), ",") {
		i := slices.IndexFunc(r.Fields, func(f *contract.Field) bool { return f.Name == strings.Trim(name, `"`) })
		if i < 0 {
			t.Fatalf("the contract of %s has no column %s", r.Name, name)
		}
		cells = append(cells, record[i])
	}
	return []byte(strings.Join(cells, ","))
}

// object is a record as JSON, with its numbers as numbers. JSON knows no zeros before
// them, which CSV allows.
func object(t *testing.T, r *contract.Resource, record []string) []byte {
	t.Helper()
	members := map[string]any{}
	for i, f := range r.Fields {
		switch {
		case record[i] == "":
		case f.Type == contract.TypeInteger:
			canonical, ok := f.Canonical([]byte(record[i]))
			if !ok {
				t.Fatalf("%s, %s is no integer", r.Name, f.Name)
			}
			members[f.Name] = json.Number(canonical)
		case f.Type == contract.TypeNumber:
			members[f.Name] = json.Number(record[i])
		default:
			members[f.Name] = record[i]
		}
	}
	return marshal(t, members)
}

// needle is a canary in one of the forms in which it could leak.
type needle struct {
	canary string
	form   []byte
}

// String names the needle without showing it, as what a test prints is searched
// too.
func (n needle) String() string {
	form := "encoded"
	if n.canary == string(n.form) {
		form = "plain"
	}
	return fmt.Sprintf("canary %d, %s", slices.Index(canaries, n.canary)+1, form)
}

// needles are all forms of the canaries: plain, hexadecimal, base64 at every
// alignment, UTF-16 in both byte orders, JSON escapes and URL escapes; a number
// also as Go traces show it.
func needles() []needle {
	var all []needle
	for _, c := range canaries {
		all = append(all, needle{c, []byte(c)}, needle{c, []byte(hex.EncodeToString([]byte(c)))},
			needle{c, []byte(strings.ToUpper(hex.EncodeToString([]byte(c))))})
		if n, err := strconv.ParseUint(c, 10, 64); err == nil && n>>32 != 0 { // as an argument in the trace of a panic
			all = append(all, needle{c, []byte("0x" + strconv.FormatUint(n, 16))})
		}
		for shift := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), c...))
			whole := (shift + len(c)) * 8 / 6
			all = append(all, needle{c, []byte(encoded[(shift*8+5)/6 : whole])})
		}
		for _, form := range escaped(c) {
			if form != c {
				all = append(all, needle{c, []byte(form)})
			}
		}
	}
	return all
}

// escaped are the forms of a text in UTF-16 (little and big endian), in JSON
// (beyond ASCII alone, and every character) and in URLs (a space as %20 and as +).
func escaped(text string) []string {
	var little, big []byte
	var some, lower, upper strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		little, big = binary.LittleEndian.AppendUint16(little, unit), binary.BigEndian.AppendUint16(big, unit)
		_, _ = fmt.Fprintf(&lower, `\u%04x`, unit)
		_, _ = fmt.Fprintf(&upper, `\u%04X`, unit)
		if unit < 0x80 {
			some.WriteByte(byte(unit))
		} else {
			_, _ = fmt.Fprintf(&some, `\u%04x`, unit)
		}
	}
	return []string{string(little), string(big), some.String(), lower.String(), upper.String(), url.PathEscape(text), url.QueryEscape(text)}
}

// found tells whether content holds the needle.
func (n needle) found(content []byte) bool { return len(newFinder([]needle{n}).find(content)) > 0 }

// chance tells whether the needle is at a place by chance: a number that stands
// within a longer hexadecimal text.
func (n needle) chance(content []byte, at int) bool {
	end := at + len(n.form)
	return string(n.form) == n.canary && strings.Trim(n.canary, "0123456789") == "" &&
		(at > 0 && isHex(content[at-1]) || end < len(content) && isHex(content[end]))
}

// finder finds many needles in one pass, by their first four bytes.
type finder struct {
	heads [1 << 16]bool // by hash of a head: whether a needle may have it
	by    map[uint32][]needle
}

func newFinder(all []needle) *finder {
	f := &finder{by: map[uint32][]needle{}}
	for _, n := range all {
		head := binary.BigEndian.Uint32(n.form)
		f.heads[hashed(head)], f.by[head] = true, append(f.by[head], n)
	}
	return f
}

func hashed(head uint32) uint16 { return uint16(head * 2654435761 >> 16) } //nolint:gosec // the upper half of a product

// find returns the needles that content holds, each once.
func (f *finder) find(content []byte) []needle {
	var found []needle
	var head uint32
	for i, c := range content {
		head = head<<8 | uint32(c)
		if i < 3 || !f.heads[hashed(head)] {
			continue
		}
		for _, n := range f.by[head] {
			if bytes.HasPrefix(content[i-3:], n.form) && !n.chance(content, i-3) && !slices.ContainsFunc(found, n.same) {
				found = append(found, n)
			}
		}
	}
	return found
}

func (n needle) same(other needle) bool { return bytes.Equal(n.form, other.form) }

// expanded is the content, followed by what it holds if it is gzip.
func expanded(content []byte) ([]byte, error) {
	if !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		return content, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	inner, err := io.ReadAll(r)
	return append(slices.Clone(content), inner...), err
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }
