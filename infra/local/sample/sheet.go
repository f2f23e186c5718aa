package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// sheet writes one file and knows on which line it is.
type sheet struct {
	table *table
	look  look
	file  string // name without folder
	out   *bufio.Writer
	close func() error

	line    int64 // of the next record: physical in CSV and JSON Lines, ordinal in JSON
	records int64 // written so far, malformed ones included
	lines   lineCount
	lineEnd []byte // of the last line written, which is put before what follows
	order   []int
	buf     []byte
	err     error // the first failure
}

// openSheet creates a file and writes everything before its first record.
func openSheet(folder, date, format string, t *table) (*sheet, error) {
	s := &sheet{table: t, look: lookOf(format, t.name)}
	s.file = t.name + "_" + date + "." + s.look.extension
	file, err := os.Create(filepath.Join(folder, s.file)) //nolint:gosec // the user names the folder
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", s.file, err)
	}
	s.out, s.close = bufio.NewWriterSize(file, 1<<18), file.Close
	s.order = s.look.order(len(t.columns))
	s.line = 1
	switch s.look.extension {
	case "csv":
		s.header()
	case "json":
		s.put([]byte("["))
	}
	return s, nil
}

// lineCount counts the physical lines of a file by purpose.
type lineCount struct {
	Header    int64 `json:"header"`
	Records   int64 `json:"records"`   // lines on which one starts
	Continued int64 `json:"continued"` // further lines of a record
	Blank     int64 `json:"blank"`
}

func (s *sheet) header() {
	if s.look.bom {
		s.put([]byte("\ufeff"))
	}
	var names row
	for i := range s.table.columns {
		names.set(i, s.table.columns[i].name)
	}
	s.put(appendCSV(nil, &names, s.order, false))
	s.endLine()
	s.line = 2
	s.lines.Header++
}

// put writes bytes, unless writing failed before.
func (s *sheet) put(b []byte) {
	for _, part := range [][]byte{s.lineEnd, b} {
		if s.err == nil {
			_, s.err = s.out.Write(part)
		}
	}
	s.lineEnd = nil
}

// endLine ends a line, once something follows it or the file is finished.
func (s *sheet) endLine() {
	s.put(nil)
	s.lineEnd = []byte("\n")
	if s.look.crlf {
		s.lineEnd = []byte("\r\n")
	}
}

// encode returns a record in the file's form, without its line end; it is valid
// until the next call.
func (s *sheet) encode(r *row) []byte {
	if s.look.extension == "csv" {
		s.buf = appendCSV(s.buf[:0], r, s.order, s.records%50 == 7)
	} else {
		s.buf = appendJSON(s.buf[:0], r, s.table.columns, s.records)
	}
	return s.buf
}

// write writes a record and returns its line.
func (s *sheet) write(r *row) int64 { return s.writeText(s.encode(r)) }

// writeText writes a record that is encoded already, or spoiled.
func (s *sheet) writeText(record []byte) int64 {
	line := s.line
	if s.look.extension == "json" {
		separator := ",\n"
		if s.records == 0 {
			separator = "\n"
		}
		s.put([]byte(separator))
		s.put(record)
		s.line++
	} else {
		s.put(record)
		s.endLine()
		further := int64(bytes.Count(record, []byte("\n")))
		s.line += 1 + further
		s.lines.Records++
		s.lines.Continued += further
		if s.look.blanks && s.records%97 == 5 && bytes.Count(record, []byte(`"`))%2 == 0 {
			s.endLine()
			s.line++
			s.lines.Blank++
		}
	}
	s.records++
	return line
}

// finish writes everything after the last record, unless its line is to stay
// without an end, and closes the file.
func (s *sheet) finish(open bool) error {
	if s.look.extension == "json" {
		s.put([]byte("\n]\n"))
	}
	if !open {
		s.put(nil)
	}
	if s.err == nil {
		s.err = s.out.Flush()
	}
	if err := s.close(); s.err == nil {
		s.err = err
	}
	if s.err != nil {
		return fmt.Errorf("write %s: %w", s.file, s.err)
	}
	return nil
}
