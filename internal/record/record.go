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
// Nothing is lost on the way: what can't be read is a record too, with a
// [Fault] instead of values, and it takes no other record with it. A file in
// which that can't be held to, or that is another than the contract's as a whole,
// is refused as a whole, as a [FileError]. The rules of
// each format stand at its splitter (csv.go, jsonlines.go, jsonarray.go); the
// order in which faults are looked for stands at [Fault]. A chunk's JSON form
// and the texts of the faults are kept: chunks travel in manifests, faults are
// stored in tables.
//
// Values are sensitive: no error of this package holds one. What a file has in
// place of its columns' names may be values too; which of these names an error
// shows is decided in one place (names.go).
package record

// MaxBytes is the longest record that is read, in bytes without its line end; a
// longer one is a reject (requirement R1.4). It also bounds the look-ahead for
// the end of a quoted field, and [Record.Raw].
const MaxBytes = 1 << 20

// DefaultChunkBytes is the size of a chunk unless [Limits] says otherwise, in
// bytes (32 MiB, design decision 7).
const DefaultChunkBytes = 32 << 20

// Format is the form of a file. Its values are the extensions of file names.
type Format string

const (
	// CSV is RFC 4180 with one header line.
	CSV Format = "csv"
	// JSON is one array of objects.
	JSON Format = "json"
	// JSONL is one object a line.
	JSONL Format = "jsonl"
)

// Layout is what the contract says about the form of a file.
type Layout struct {
	Format    Format
	Delimiter byte     // CSV: between fields; 0 is the comma
	Quote     byte     // CSV: around fields; 0 is the double quote
	Encoding  string   // CSV: "" or "utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", in any case; JSON is always UTF-8
	Columns   []string // the fields' names, in the order of the contract
	// LineEnds says for each column whether its values may hold a line end. A
	// line end in a quoted CSV field of another column is a slip. nil: all may.
	LineEnds []bool
	// Required says for each column whether no record is valid without it. A
	// JSON file none of whose objects has such a member is faulty. nil: none is.
	Required []bool
}

// Chunk is a byte range of one file that holds whole records. Chunks follow each
// other without a gap; the last one reaches to the end of the file.
type Chunk struct {
	Index     int   `json:"index"`      // from 0, in the order of the file
	Start     int64 `json:"start"`      // offset of the first byte, in bytes
	End       int64 `json:"end"`        // offset after the last byte; always greater than Start
	FirstLine int64 `json:"first_line"` // CSV and JSON Lines: number of the physical line at Start; JSON: ordinal of the first element
	Records   int64 `json:"records"`    // records that start here, malformed ones included; at least 1
	Last      bool  `json:"last"`       // whether the chunk reaches to the end of the file
}

// Limits says how large a chunk may become: it ends with the first record that
// reaches either limit.
type Limits struct {
	ChunkBytes   int64 // 0 is [DefaultChunkBytes]
	ChunkRecords int64 // 0 is no limit
}

// Scan is what [Cut] found in a whole file.
type Scan struct {
	Header    []string `json:"header,omitempty"` // CSV: the columns in the order of the file
	Records   int64    `json:"records"`          // malformed ones included
	Malformed int64    `json:"malformed"`        // records with a [Fault]
	Bytes     int64    `json:"bytes"`            // size of the file
	// Unterminated says that the last line of a CSV or JSON Lines file has no
	// line end. Such a file is read, but it may have been cut off.
	Unterminated bool `json:"unterminated,omitempty"`
}

// Fault says why a record can't be read; "" means that it can. If there are
// several reasons the first one counts, in the order: size, quote, nul, encoding,
// json, fields. (NUL characters and broken surrogate pairs that
// are escaped in a JSON string come after json.)
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
	// contract does not know or that comes twice (JSON).
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
	// KindComposite is a JSON object or array, which no field of a contract is.
	KindComposite
)

// Value is one field of a record.
type Value struct {
	Text    []byte // unquoted, unescaped, in UTF-8; of numbers, booleans and composites the literal text of the file
	Missing bool   // whether Kind is KindMissing; Text is then empty
	Kind    Kind
}

// Record is one record of a file.
type Record struct {
	Line   int64   // CSV and JSON Lines: the physical line on which it starts, from 1; JSON: ordinal of the element, from 1
	Values []Value // one a contract column, in the order of the contract; nil if the record is malformed
	Fault  Fault   // "" unless the record is malformed
	Detail Detail  // of FaultFields: what is wrong with the fields
	Raw    []byte  // of a malformed record: its bytes without the line end, at most the first MaxBytes; else nil
}
