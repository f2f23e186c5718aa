package phase

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/validation"
)

// schemaKey is the metadata of a COPY stream that names the columns it was made
// for.
const schemaKey = "schema"

// schemaOf is the metadata of a stream for a table of these columns.
func schemaOf(columns []contract.Column) map[string]string {
	sum := sha256.New()
	for _, c := range columns {
		_, _ = fmt.Fprintf(sum, "%s %s\n", c.Name, c.SQLType)
	}
	return map[string]string{schemaKey: hex.EncodeToString(sum.Sum(nil)[:8])}
}

// openStream opens a COPY stream and refuses one that was made for other columns.
func openStream(ctx context.Context, store *objectstore.Store, object objectstore.Object, columns []contract.Column) (objectstore.Body, error) {
	body, err := store.Open(ctx, object.Key, object.VersionID)
	if err != nil {
		return objectstore.Body{}, err
	}
	if body.Metadata[schemaKey] != schemaOf(columns)[schemaKey] {
		_ = body.Close()
		return objectstore.Body{}, &fault.Incompatible{Object: object.Key, Reason: message.OtherSchema}
	}
	return body, nil
}

// hashed reads a stream and checks at its end that it is the object it should be.
type hashed struct {
	io.Reader
	sum  hash.Hash
	want objectstore.Object
}

func newHashed(r io.Reader, want objectstore.Object) *hashed {
	sum := objectstore.NewChecksum()
	return &hashed{Reader: io.TeeReader(r, sum), sum: sum, want: want}
}

// check drains the rest and compares.
func (h *hashed) check() error {
	if _, err := io.Copy(io.Discard, h.Reader); err != nil {
		return err
	}
	if objectstore.ChecksumText(h.sum) != h.want.Checksum {
		return &fault.Incompatible{Object: h.want.Key, Reason: message.OtherContent}
	}
	return nil
}

// eachRow passes the rows of a COPY stream; a row is valid until each returns.
func eachRow(r io.Reader, each func([][]byte) error) error {
	rows := copybinary.NewReader(r)
	for {
		row, err := rows.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// columnIndex finds a column that the caller knows to be there.
func columnIndex(columns []contract.Column, name string) int {
	for i, c := range columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// stagedRow gives a staged row back its plaintext values, in memory.
type stagedRow struct {
	resource *contract.Resource
	open     func(dst []byte, column string, line int64, sealed []byte) ([]byte, error)
	columns  []int // by field index: the staging column
	line     int
	fault    int
	raw      int
	mistyped int
	values   []validation.Value
	plain    []byte
}

func newStagedRow(r *contract.Resource, open func([]byte, string, int64, []byte) ([]byte, error)) *stagedRow {
	columns := r.StagingStream()
	s := &stagedRow{
		resource: r, open: open, values: make([]validation.Value, len(r.Fields)),
		line: columnIndex(columns, "line_number"), fault: columnIndex(columns, "fault"),
		raw: columnIndex(columns, "raw"), mistyped: columnIndex(columns, "mistyped"),
	}
	for _, f := range r.Fields {
		for i := fixedColumns; i < len(columns); i++ {
			if columns[i].Name == f.Name {
				s.columns = append(s.columns, i)
			}
		}
	}
	return s
}

// lineNumber of a row.
func (s *stagedRow) lineNumber(row [][]byte) (int64, error) {
	return copybinary.DecodeInt8(row[s.line])
}

// value returns one value of a well-formed row; a sensitive one is decrypted
// behind dst.
func (s *stagedRow) value(dst []byte, f *contract.Field, line int64, row [][]byte) (validation.Value, error) {
	cell := row[s.columns[f.Index]]
	value := validation.Value{Text: cell, Missing: cell == nil}
	if value.Missing || !f.Sensitive() {
		return value, nil
	}
	plain, err := s.open(dst, f.Name, line, cell)
	if err != nil {
		return value, fmt.Errorf("%s, line %d, field %s: %w", s.resource.Name, line, f.Name, err)
	}
	value.Text = plain[len(dst):len(plain):len(plain)]
	return value, nil
}

// decode returns the values of a well-formed row, valid until the next call.
func (s *stagedRow) decode(row [][]byte, line int64) ([]validation.Value, error) {
	s.plain = s.plain[:0]
	for i, f := range s.resource.Fields {
		value, err := s.value(s.plain, f, line, row)
		if err != nil {
			return nil, err
		}
		if f.Sensitive() {
			s.plain = append(s.plain, value.Text...) // in place: it was opened there
		}
		s.values[i] = value
	}
	if row[s.raw] != nil {
		if err := s.withheldValues(row, line); err != nil {
			return nil, err
		}
	}
	if names := row[s.mistyped]; names != nil {
		for _, name := range bytes.Split(names, []byte(",")) {
			if f := s.resource.Field(string(name)); f != nil {
				s.values[f.Index].Mistyped = true
			}
		}
	}
	return s.values, nil
}
