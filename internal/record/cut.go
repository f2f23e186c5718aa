package record

import "io"

// Cut reads the whole file r once, from its start to its end, and calls emit for
// each chunk in order. Memory does not grow with the file, its records or its
// lines: it is a few times [MaxBytes].
//
// A chunk ends at the first end of a record at or past limits.ChunkBytes from
// the chunk's start, or with its limits.ChunkRecords-th record. The first
// chunk of a CSV file starts behind the header, that of a JSON array at its
// opening bracket; byte order marks belong to no chunk. A file without records (a
// header alone, []) has no chunk.
//
// Cut returns a [*FileError] if the file is faulty, see [Reason]. Some faults show
// only at the end of the file; chunks that were already emitted are then void. It
// also returns errors of r (wrapped) and of emit (unchanged); chunks that were
// already emitted are then valid, but incomplete.
func Cut(r io.Reader, layout Layout, limits Limits, emit func(Chunk) error) (Summary, error) {
	return cut(r, layout, limits, defaultBounds(), emit)
}

func cut(r io.Reader, layout Layout, limits Limits, size bounds, emit func(Chunk) error) (Summary, error) {
	layout, err := layout.normalize()
	if err != nil {
		return Summary{}, err
	}
	if limits.ChunkBytes <= 0 {
		limits.ChunkBytes = DefaultChunkBytes
	}
	w := newWindow(r, size.buffer)
	records, judge, header, err := open(w, layout, size)
	if err != nil {
		return Summary{}, err
	}
	c := cutter{
		limits: limits, emit: emit, summary: Summary{Header: header}, format: layout.Format,
		joined: joined{layout: layout},
	}
	c.chunk.Start, c.chunk.FirstLine = w.off, 1
	if lines, ok := records.(*csvSplitter); ok {
		c.chunk.FirstLine = lines.line
	}
	c.chunk.End = c.chunk.Start
	c.next = c.chunk.FirstLine
	if err := c.run(records, judge); err != nil {
		return Summary{}, err
	}
	if err := w.drain(); err != nil {
		return Summary{}, err
	}
	c.summary.Bytes = w.off
	c.summary.Unterminated = layout.Format != JSON && w.last != '\n'
	if err := c.finish(judge); err != nil {
		return Summary{}, err
	}
	return c.summary, nil
}

// open checks the start of a file and returns its splitter and decoder, and the
// header of a CSV file.
func open(w *window, layout Layout, size bounds) (splitter, decoder, []string, error) {
	cs, err := charsetOf(encodingOf(layout))
	if err != nil {
		return nil, nil, nil, err
	}
	if err := checkEncoding(w, cs); err != nil {
		return nil, nil, nil, err
	}
	whole := Chunk{FirstLine: 1, Last: true}
	var header []string
	switch layout.Format {
	case CSV:
		s := newCSVSplitter(w, layout, 1, size.record)
		if header, err = readHeader(s, cs, layout); err != nil {
			return nil, nil, nil, err
		}
		s.setHeader(header, layout)
		judge, err := newDecoder(layout, header)
		return s, judge, header, err
	case JSON:
		s := newArraySplitter(w, whole, size.record)
		c, err := s.skipSpace()
		switch {
		case isEnd(err):
			return nil, nil, nil, &FileError{Reason: ReasonEmpty}
		case err != nil:
			return nil, nil, nil, err
		case c != '[':
			return nil, nil, nil, &FileError{Reason: ReasonFormat}
		}
	}
	judge := newJSONDecoder(layout)
	judge.drift = newDrift(layout)
	return newSplitter(w, whole, layout, nil, size.record), judge, nil, nil
}

// encodingOf returns the encoding of a file. RFC 8259 leaves JSON no choice.
func encodingOf(layout Layout) string {
	if layout.Format == CSV {
		return layout.Encoding
	}
	return ""
}

// newSplitter returns the splitter for a chunk, whose bytes are in w.
func newSplitter(w *window, chunk Chunk, layout Layout, header []string, limit int) splitter {
	switch layout.Format {
	case CSV:
		s := newCSVSplitter(w, layout, chunk.FirstLine, limit)
		s.setHeader(header, layout)
		return s
	case JSON:
		return newArraySplitter(w, chunk, limit)
	default:
		return &linesSplitter{w: w, line: chunk.FirstLine, tail: tail{limit: limit}}
	}
}

// newDecoder returns the decoder of a layout; header is that of the CSV file.
func newDecoder(layout Layout, header []string) (decoder, error) {
	if layout.Format != CSV {
		return newJSONDecoder(layout), nil
	}
	cs, err := charsetOf(layout.Encoding)
	if err != nil {
		return nil, err
	}
	if err := compareHeader(header, layout); err != nil {
		return nil, err
	}
	position := make(map[string]int, len(layout.Columns))
	for i, name := range layout.Columns {
		position[name] = i
	}
	columns := make([]int, len(header))
	for i, name := range header {
		columns[i] = position[name]
	}
	return &csvDecoder{delimiter: layout.Delimiter, quote: layout.Quote, charset: cs, columns: columns}, nil
}

// cutter gathers records into chunks. A chunk is emitted when the record behind
// it is found, so that the last one is known to be the last.
type cutter struct {
	limits  Limits
	format  Format
	emit    func(Chunk) error
	summary Summary
	chunk   Chunk // of the records so far
	next    int64 // line number or ordinal at chunk.End
	pretty  bool  // JSON Lines: the first line opens an object and does not close it
	joined  joined
}

func (c *cutter) run(records splitter, judge decoder) error {
	var sp span
	for {
		err := records.next(&sp)
		if isEnd(err) {
			return nil
		}
		if err != nil {
			return err
		}
		c.summary.Records++
		fault := judge.check(&sp)
		if fault != "" {
			c.summary.Malformed++
		}
		c.joined.add(&sp, fault)
		if c.summary.Records <= 2 && c.format == JSONL {
			if err := c.checkLines(&sp, fault); err != nil {
				return err
			}
		}
		if c.full() {
			if err := c.turn(); err != nil {
				return err
			}
		}
		c.chunk.Records++
		c.chunk.End = sp.end
		c.next = sp.next
	}
}

// checkLines checks the first two lines of a JSON Lines file: an array, or objects
// that span several lines each, are another format.
func (c *cutter) checkLines(sp *span, fault Fault) error {
	first := len(sp.raw) > 0 && c.summary.Records == 1
	switch {
	case first && sp.raw[0] == '[':
		return &FileError{Reason: ReasonArray}
	case first:
		c.pretty = fault == FaultJSON && sp.raw[0] == '{' && endsOpen(sp.raw)
	case c.pretty && len(sp.raw) > 0 && sp.raw[0] != '{':
		return &FileError{Reason: ReasonPretty}
	}
	return nil
}

// endsOpen reports whether a line ends within an object or array, and not within
// a string.
func endsOpen(line []byte) bool {
	var t tokens
	return t.run(line) == wantTokens && len(t.open) > 0 && !t.inString
}

// full reports whether the chunk has reached a limit.
func (c *cutter) full() bool {
	return c.chunk.Records > 0 && (c.chunk.End-c.chunk.Start >= c.limits.ChunkBytes ||
		c.limits.ChunkRecords > 0 && c.chunk.Records >= c.limits.ChunkRecords)
}

// turn emits the chunk and begins the next one where it ends.
func (c *cutter) turn() error {
	if err := c.emit(c.chunk); err != nil {
		return err
	}
	c.chunk = Chunk{Index: c.chunk.Index + 1, Start: c.chunk.End, End: c.chunk.End, FirstLine: c.next}
	return nil
}

// finish emits the last chunk.
func (c *cutter) finish(judge decoder) error {
	if err := c.joined.fault(c.summary.Records); err != nil {
		return err
	}
	if objects, ok := judge.(*jsonDecoder); ok {
		if err := objects.drift.fault(); err != nil {
			return err
		}
	}
	if c.chunk.Records == 0 {
		if c.format == JSONL {
			return &FileError{Reason: ReasonEmpty}
		}
		return nil
	}
	c.chunk.End, c.chunk.Last = c.summary.Bytes, true
	return c.emit(c.chunk)
}
