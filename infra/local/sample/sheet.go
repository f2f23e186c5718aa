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
	order   []int
	buf     []byte
	err     error // the first failure
}

// openSheet creates a file and writes what comes before its first record.
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
}

// put writes bytes, unless writing failed before.
func (s *sheet) put(b []byte) {
	if s.err == nil {
		_, s.err = s.out.Write(b)
	}
}

func (s *sheet) endLine() {
	if s.look.crlf {
		s.put([]byte("\r\n"))
		return
	}
	s.put([]byte("\n"))
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
		s.line += 1 + int64(bytes.Count(record, []byte("\n")))
		if s.look.blanks && s.records%97 == 5 {
			s.endLine()
			s.line++
		}
	}
	s.records++
	return line
}

// finish writes what comes after the last record, unless the array is to stay
// broken, and closes the file.
func (s *sheet) finish(broken bool) error {
	if s.look.extension == "json" && !broken {
		s.put([]byte("\n]\n"))
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
