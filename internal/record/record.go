// Package record reads the files that arrive, and cuts them into chunks.
//
// A file is CSV (RFC 4180), a JSON array of objects (RFC 8259) or JSON Lines.
// [Cut] reads a whole file once, in order and with flat memory, checks its
// encoding and header, and emits [Chunk]s: exact byte ranges that end where a
// record ends. A [Reader] over the bytes of one chunk then yields the very
// records that a reader of the whole file would have yielded, as both find them
// with the same splitter: the same line numbers, the same fields, the same
// faults.
//
// No record is lost: one that can't be read is returned too, with a
// [Fault] instead of values, and it takes no other record with it. A file for
// which that cannot be guaranteed, or that as a whole does not follow the contract,
// is refused with a [FileError]. The rules of each format are documented at its
// splitter (csv.go, jsonlines.go, jsonarray.go), the order of faults at [Fault]. A
// chunk's JSON form and the texts of the faults must stay compatible: chunks travel
// in manifests, faults are stored in tables.
//
// Values are sensitive, so no error of this package contains one. What a file has in
// the place of column names may be values too; names.go decides which of them an
// error may show.
//
// # Limits
//
// A record has at most [MaxBytes]. A CSV header must be the first line that is not
// blank and have exactly the contract's columns, in any order. UTF-16 and UTF-32
// are refused. The elements of a JSON array may be nested 10,000 deep.
package record

// MaxBytes is the length of the longest record that is read, in bytes without its
// line end; a longer one is a reject. It also bounds the look-ahead for
// the end of a quoted field, and [Record.Raw].
const MaxBytes = 1 << 20

// DefaultChunkBytes is the size of a chunk unless [Limits] says otherwise, in
// bytes: 32 MiB.
const DefaultChunkBytes = 32 << 20

// Format is the form of a file. Its values are the extensions of file names.
type Format string

const (
	// CSV is RFC 4180 with one header line.
	CSV Format = "csv"
	// JSON is one array of objects.
	JSON Format = "json"
	// JSONL is one object per line.
	JSONL Format = "jsonl"
)

// Layout is the form of a file according to the contract.
type Layout struct {
	Format    Format
	Delimiter byte     // CSV: between fields; 0 is the comma
	Quote     byte     // CSV: around fields; 0 is the double quote
	Encoding  string   // CSV: "" or "utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", in any case; JSON is always UTF-8
	Columns   []string // names of the fields, in the order of the contract
	// LineEnds holds, for each column, whether its values may contain a line end. A
	// line end in a quoted CSV field of another column is a slip. nil: all may.
	LineEnds []bool
	// Required holds, for each column, whether no record is valid without it. A JSON
	// file in which no object has such a member is faulty. nil: none is required.
	Required []bool
}

// Chunk is a byte range of one file that holds whole records. Chunks follow one
// another without gaps; the last one extends to the end of the file.
type Chunk struct {
	Index     int   `json:"index"`      // from 0, in the order of the file
	Start     int64 `json:"start"`      // offset of the first byte, in bytes
	End       int64 `json:"end"`        // offset after the last byte; always greater than Start
	FirstLine int64 `json:"first_line"` // CSV and JSON Lines: number of the physical line at Start; JSON: ordinal of the first element
	Records   int64 `json:"records"`    // records that start here, including malformed ones; at least 1
	Last      bool  `json:"last"`       // whether the chunk extends to the end of the file
}

// Limits bounds the size of a chunk: it ends with the first record that reaches
// either limit.
type Limits struct {
	ChunkBytes   int64 // 0 is [DefaultChunkBytes]
	ChunkRecords int64 // 0 is no limit
}

// Summary is what [Cut] found in a whole file.
type Summary struct {
	Header    []string `json:"header,omitempty"` // CSV: the columns in the order of the file
	Records   int64    `json:"records"`          // including malformed ones
	Malformed int64    `json:"malformed"`        // records with a [Fault]
	Bytes     int64    `json:"bytes"`            // size of the file
	// Unterminated reports that the last line of a CSV or JSON Lines file has no
	// line end. Such a file is read, but it may have been cut off.
	Unterminated bool `json:"unterminated,omitempty"`
}

// Fault is why a record can't be read; "" means that it can. If there are several
// reasons, the first one counts, in this order: size, quote, nul, encoding, json,
// fields. (NUL characters and broken surrogate pairs that are escaped in a JSON
// string come after json.)
type Fault string

const (
	// FaultSize is a record of more than [MaxBytes].
	FaultSize Fault = "size"
	// FaultQuote is a quote in an unquoted field, text after a closing quote, a
	// line end in a quoted field of a column that can't hold one, or a quoted
	// field that is not closed.
	FaultQuote Fault = "quote"
	// FaultNUL is a NUL character, which PostgreSQL can't store.
	FaultNUL Fault = "nul"
	// FaultEncoding is a byte that is not valid in the file's encoding, or half
	// of a surrogate pair in a JSON string.
	FaultEncoding Fault = "encoding"
	// FaultJSON is invalid JSON, or JSON that is no object.
	FaultJSON Fault = "json"
	// FaultFields is a wrong number of fields (CSV), or a member that the
	// contract does not know or that is repeated (JSON).
	FaultFields Fault = "fields"
)

// Kind is the kind of a value in its file.
type Kind uint8

const (
	// KindMissing is an empty CSV field, and in JSON an absent member, null or "".
	KindMissing Kind = iota
	// KindText is a CSV field, which has no kind of its own.
	KindText
	// KindString is a JSON string.
	KindString
	// KindNumber is a JSON number.
	KindNumber
	// KindBoolean is true or false.
	KindBoolean
	// KindComposite is a JSON object or array, which is no valid field.
	KindComposite
)

// Value is one field of a record.
type Value struct {
	Text    []byte // unquoted, unescaped, in UTF-8; for numbers, booleans and composites the literal text of the file
	Missing bool   // whether Kind is KindMissing; Text is then empty
	Kind    Kind
}

// Record is one record of a file.
type Record struct {
	Line   int64   // CSV and JSON Lines: the physical line on which it starts, from 1; JSON: ordinal of the element, from 1
	Values []Value // one per column, in the order of the contract; nil if the record is malformed
	Fault  Fault   // "" unless the record is malformed
	Detail Detail  // of FaultFields: what is wrong with the fields
	Raw    []byte  // of a malformed record: its bytes without the line end, at most the first MaxBytes; else nil
}
