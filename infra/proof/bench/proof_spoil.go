package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// badInTen is how many of ten records are spoiled.
const badInTen = 3

// spoilFile copies a sound file of clients and spoils three records of every ten,
// in ways that take turns: rules over one record, several of them at once, a
// duplicate of the record before, a record with too few fields, and one with a
// quote out of place. It returns what the lines of the spoiled file are for.
func spoilFile(from, to string) (count lineCount, err error) {
	in, err := os.Open(from) //nolint:gosec // a file that the sample generator made
	if err != nil {
		return count, err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to) //nolint:gosec // the benchmark's own folder
	if err != nil {
		return count, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return spoil(bufio.NewReaderSize(in, 1<<20), out)
}

// quotesOutOfPlace are lines that take turns, each of which is one reject and takes
// no other line with it: a quote within a field, one before the closing quote, an
// unclosed field, text behind a closing quote, and an unclosed field where line ends
// may stand.
func quotesOutOfPlace() []string {
	return []string{
		`7,stray "quote,of a client`, `7,"TV 55"",1`, `7,"12 rue Neuve,1`, `7,"fini" pas,1`,
		`7,Ana,Roux,ana@exemple.fr,1234567890,,,"12 rue Neuve,Lyon,FR,2024-01-02T03:04:05Z`,
	}
}

// spoil copies the records of a sound file of clients and spoils some of them.
func spoil(in io.Reader, out io.Writer) (count lineCount, err error) {
	records := csv.NewReader(in)
	header, err := records.Read()
	if err != nil {
		return count, fmt.Errorf("header of the sound file: %w", err)
	}
	count.Header = 1
	buffered := bufio.NewWriterSize(out, 1<<20)
	writer := csv.NewWriter(buffered)
	if err := writer.Write(header); err != nil {
		return count, err
	}
	quotes, slip := quotesOutOfPlace(), 0
	s := spoiler{column: map[string]int{}}
	for i, name := range header {
		s.column[name] = i
	}
	for n := 0; ; n++ {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return count, err
		}
		count.Records++
		if n%10 < 10-badInTen {
			s.sound = record
		} else {
			record = s.next(record)
		}
		if record == nil {
			writer.Flush()
			_, err = buffered.WriteString(quotes[slip%len(quotes)] + "\n")
			slip++
		} else {
			err = writer.Write(record)
			count.Continued += int64(strings.Count(strings.Join(record, ""), "\n"))
		}
		if err != nil {
			return count, err
		}
	}
	writer.Flush()
	return count, errors.Join(writer.Error(), buffered.Flush())
}

// spoiler spoils one record after the other, each in another way.
type spoiler struct {
	column map[string]int
	sound  []string // the sound record before
	turn   int
}

// next returns the record spoiled; nil for one that is malformed.
func (s *spoiler) next(record []string) []string {
	s.turn++
	switch s.turn % 7 {
	case 0:
		record[s.column["client_id"]] = s.sound[s.column["client_id"]]
	case 1:
		record[s.column["first_name"]] = ""
	case 2:
		record[s.column["nif"]] = record[s.column["nif"]][1:]
	case 3:
		record[s.column["email"]] = "nobody"
	case 4:
		record[s.column["last_name"]], record[s.column["country"]] = "R2D2", "ZZ"
	case 5:
		record = record[:len(record)-1]
	case 6:
		return nil
	}
	return record
}
