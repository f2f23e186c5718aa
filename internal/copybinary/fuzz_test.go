package copybinary

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// held are the columns of every type that the package writes.
const held = "(a text, b bytea, c integer, d bigint, e boolean, f date, g timestamp with time zone, h numeric, i uuid, j json)"

// FuzzPostgres holds the Writer against PostgreSQL's own decoder: what a stream
// brings into a table must be what PostgreSQL makes of the same values as texts,
// and PostgreSQL must write that table as the very same stream. It needs a server
// (TEST_DATABASE_URL) and uses temporary tables only.
func FuzzPostgres(f *testing.F) {
	conn := connect(f)
	execute(f, conn, "CREATE TEMP TABLE held "+held+" ON COMMIT DELETE ROWS; CREATE TEMP TABLE meant "+held+" ON COMMIT DELETE ROWS")
	f.Fuzz(func(t *testing.T, text string, raw []byte, number int64, seconds int64, nanos uint32, zone int16, decimal string, nulls uint16) {
		in := input{text: text, raw: raw, number: number, at: instant(seconds, nanos, zone), decimal: decimal}
		execute(t, conn, "ROLLBACK; BEGIN") // a failed input leaves a transaction
		in.dateFits, in.timeFits = fits(t, conn, in.at)
		if got := writes(func(w *Writer) { w.Date(in.at) }); got != in.dateFits {
			t.Fatalf("the date %s: written %t, PostgreSQL takes it %t", dateText(in.at), got, in.dateFits)
		}
		if got := writes(func(w *Writer) { w.Timestamptz(in.at) }); got != in.timeFits {
			t.Fatalf("the instant %s: written %t, PostgreSQL takes it %t", timeText(in.at), got, in.timeFits)
		}
		in.decimalFits = writes(func(w *Writer) {
			if w.Numeric([]byte(decimal)) != nil {
				w.fail(ErrNumeric)
			}
		})
		rows := [][]column{in.row(), in.row(), in.row()}
		for i := range rows[0] {
			rows[1][i].null = rows[1][i].null || nulls>>i&1 == 1
			rows[2][i].null = rows[2][i].null || nulls>>i&1 == 0
		}
		compare(t, conn, rows)
		execute(t, conn, "COMMIT")
	})
}

// input is what the fuzzer made up.
type input struct {
	text                            string
	raw                             []byte
	number                          int64
	at                              time.Time
	decimal                         string
	dateFits, timeFits, decimalFits bool
}

// column is a value: how it is written, and the text that it is meant to be.
type column struct {
	write func(*Writer)
	text  string
	null  bool
}

// row is one value of each type.
func (in input) row() []column {
	text := strings.ReplaceAll(strings.ToValidUTF8(in.text, "?"), "\x00", "")
	document := []byte(text)
	if !json.Valid(document) {
		document, _ = json.Marshal(text) // of a string it never fails
	}
	var id [16]byte
	copy(id[:], in.raw)
	return []column{
		{write: func(w *Writer) { w.String(text) }, text: text},
		{write: func(w *Writer) { w.Bytea(in.raw) }, text: `\x` + hex.EncodeToString(in.raw)},
		{write: func(w *Writer) { w.Int4(int32(in.number)) }, text: strconv.FormatInt(int64(int32(in.number)), 10)}, //nolint:gosec // its lower half
		{write: func(w *Writer) { w.Int8(in.number) }, text: strconv.FormatInt(in.number, 10)},
		{write: func(w *Writer) { w.Bool(in.number > 0) }, text: strconv.FormatBool(in.number > 0)},
		{write: func(w *Writer) { w.Date(in.at) }, text: dateText(in.at), null: !in.dateFits},
		{write: func(w *Writer) { w.Timestamptz(in.at) }, text: timeText(in.at), null: !in.timeFits},
		{write: func(w *Writer) { _ = w.Numeric([]byte(in.decimal)) }, text: in.decimal, null: !in.decimalFits},
		{write: func(w *Writer) { w.UUID(id) }, text: hex.EncodeToString(id[:])},
		{write: func(w *Writer) { w.JSON(document) }, text: string(document)},
	}
}

// compare loads the rows as a stream and as texts and compares what the tables
// hold then.
func compare(t *testing.T, conn *pgconn.PgConn, rows [][]column) {
	t.Helper()
	var stream bytes.Buffer
	w := NewWriter(&stream)
	var texts [][]byte
	var places []string
	for _, row := range rows {
		w.Row(len(row))
		var marks []string
		for _, c := range row {
			marks = append(marks, fmt.Sprintf("$%d", len(texts)+1))
			if c.null {
				w.Null()
				texts = append(texts, nil)
				continue
			}
			c.write(w)
			texts = append(texts, []byte(c.text))
		}
		places = append(places, "("+strings.Join(marks, ", ")+")")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	copyIn(t, conn, "held", stream.Bytes())
	if result := conn.ExecParams(context.Background(), "INSERT INTO meant VALUES "+strings.Join(places, ", "), texts, nil, nil, nil).Read(); result.Err != nil {
		t.Fatalf("PostgreSQL does not take the texts: %v", result.Err)
	}
	got, want := execute(t, conn, "SELECT * FROM held"), execute(t, conn, "SELECT * FROM meant")
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("the table holds\n%q\nwant\n%q", got, want)
	}
	if back := copyOut(t, conn, "SELECT * FROM meant"); !bytes.Equal(back, stream.Bytes()) {
		t.Fatalf("PostgreSQL writes\n%x\nwant\n%x", back, stream.Bytes())
	}
}

// writes reports whether a Writer takes a value.
func writes(value func(*Writer)) bool {
	w := NewWriter(new(bytes.Buffer))
	w.Row(1)
	value(w)
	return w.Close() == nil
}

// fits reports whether PostgreSQL takes an instant as a date and as a timestamp.
func fits(t *testing.T, conn *pgconn.PgConn, at time.Time) (date, timestamp bool) {
	t.Helper()
	answer := execute(t, conn, fmt.Sprintf("SELECT pg_input_is_valid('%s', 'date'), pg_input_is_valid('%s', 'timestamp with time zone')", dateText(at), timeText(at)))
	return strings.HasPrefix(answer[0], "t|"), strings.HasSuffix(answer[0], "|t")
}

// instant brings what the fuzzer made up near the ranges of PostgreSQL's types:
// 6 million years around 2000, and offsets that it takes in a text.
func instant(seconds int64, nanos uint32, zone int16) time.Time {
	const span, widest = 6_000_000 * 365 * 24 * 3600, 15*60 + 59
	return time.Unix(unixToPostgresSeconds+seconds%span, int64(nanos%1e9)).In(time.FixedZone("", 60*int(zone%(widest+1))))
}

// dateText is the calendar date of t as a text for PostgreSQL.
func dateText(t time.Time) string {
	return fmt.Sprintf("%04d-%02d-%02d%s", year(t), t.Month(), t.Day(), era(t))
}

// timeText is t, rounded to the microsecond, as a text for PostgreSQL.
func timeText(t time.Time) string {
	t = t.Add(500).Truncate(time.Microsecond)
	return fmt.Sprintf("%04d-%02d-%02d %s%s", year(t), t.Month(), t.Day(), t.Format("15:04:05.000000-07:00"), era(t))
}

func year(t time.Time) int {
	if t.Year() <= 0 { // 1 BC is the year 0
		return 1 - t.Year()
	}
	return t.Year()
}

func era(t time.Time) string {
	if t.Year() <= 0 {
		return " BC"
	}
	return ""
}
