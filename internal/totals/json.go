package totals

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// MaxBytes is the largest control file that is read: ten files take 2 KB.
const MaxBytes = 1 << 20

// Parse reads a control file. It fails with *[Error] for a file that is larger
// than [MaxBytes] or breaks the form, and with the error of r. It never reads
// more than MaxBytes and a byte. A byte order mark is accepted.
func Parse(r io.Reader) (Totals, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Totals{}, fmt.Errorf("totals: read: %w", err)
	}
	if len(text) > MaxBytes {
		return Totals{}, &Error{Reason: TooLarge, Offset: MaxBytes}
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	if !utf8.Valid(text) {
		return Totals{}, &Error{Reason: Syntax, Offset: int64(len(text))}
	}
	p := parser{json.NewDecoder(bytes.NewReader(text))}
	p.UseNumber()
	return p.document()
}

// parser reads the file token by token, because encoding/json takes the last of
// repeated members and ignores the case of their names.
type parser struct{ *json.Decoder }

func (p parser) fail(reason string) error {
	return &Error{Reason: reason, Offset: max(1, p.InputOffset())}
}

// document reads the whole file.
func (p parser) document() (Totals, error) {
	var files map[string]Total
	err := p.object(func(name string) (err error) {
		if name != "files" {
			return p.fail(UnknownMember)
		}
		files, err = p.files()
		return err
	})
	if err != nil {
		return Totals{}, err
	}
	if _, err := p.Token(); !errors.Is(err, io.EOF) {
		return Totals{}, p.fail(Syntax)
	}
	switch {
	case files == nil:
		return Totals{}, p.fail(UnknownMember)
	case len(files) == 0:
		return Totals{}, p.fail(NoFile)
	}
	return Totals{files: files}, nil
}

// files reads the object of all files.
func (p parser) files() (map[string]Total, error) {
	files := map[string]Total{}
	err := p.object(func(name string) (err error) {
		if !plain(name) {
			return p.fail(BadName)
		}
		files[name], err = p.total()
		return err
	})
	return files, err
}

// total reads the object of one file.
func (p parser) total() (t Total, err error) {
	members := 0
	err = p.object(func(name string) (err error) {
		members++
		switch Member(name) {
		case Records:
			t.Records, err = p.number()
		case Bytes:
			t.Bytes, err = p.number()
		case SHA256:
			t.SHA256, err = p.hash()
		default:
			return p.fail(UnknownMember)
		}
		return err
	})
	if err == nil && members != 3 {
		err = p.fail(UnknownMember)
	}
	return t, err
}

// object reads an object and calls member after the name of each of its members,
// none of which may be repeated.
func (p parser) object(member func(name string) error) error {
	if open, err := p.Token(); err != nil || open != json.Delim('{') {
		return p.fail(Syntax)
	}
	seen := map[string]bool{}
	for {
		token, err := p.Token()
		if err != nil {
			return p.fail(Syntax)
		}
		if token == json.Delim('}') {
			return nil
		}
		name, ok := token.(string)
		if !ok {
			return p.fail(Syntax)
		}
		if seen[name] {
			return p.fail(Duplicate)
		}
		seen[name] = true
		if err := member(name); err != nil {
			return err
		}
	}
}

// number reads an integer from 0; JSON's other forms of numbers are refused.
func (p parser) number() (int64, error) {
	token, err := p.Token()
	if err != nil {
		return 0, p.fail(Syntax)
	}
	digits, ok := token.(json.Number)
	if !ok {
		return 0, p.fail(BadNumber)
	}
	n, err := strconv.ParseUint(digits.String(), 10, 63)
	if err != nil {
		return 0, p.fail(BadNumber)
	}
	return int64(n), nil //nolint:gosec // ParseUint was held to 63 bits
}

// hash reads a SHA-256 in hexadecimal, in either case.
func (p parser) hash() (sum [sha256.Size]byte, err error) {
	token, err := p.Token()
	if err != nil {
		return sum, p.fail(Syntax)
	}
	text, ok := token.(string)
	if !ok || len(text) != hex.EncodedLen(len(sum)) {
		return sum, p.fail(BadHash)
	}
	if _, err := hex.Decode(sum[:], []byte(text)); err != nil {
		return sum, p.fail(BadHash)
	}
	return sum, nil
}

// Write writes the control file: one line per file, sorted by name. It fails with
// the error of w.
func (t Totals) Write(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("{\n  \"files\": {")
	for i, name := range t.Names() {
		if i > 0 {
			b.WriteByte(',')
		}
		f := t.files[name]
		// A plain name and a hash need no escape.
		fmt.Fprintf(&b, "\n    %q: {\"records\": %d, \"bytes\": %d, \"sha256\": %q}", name, f.Records, f.Bytes, hexadecimal(f.SHA256))
	}
	b.WriteString("\n  }\n}\n")
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("totals: write: %w", err)
	}
	return nil
}
