package copybinary

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"
)

// The tests of this file hold the package against PostgreSQL's own decoder and
// encoder. They use temporary tables only.

func connect(t testing.TB) *pgconn.PgConn {
	t.Helper()
	if testing.Short() {
		t.Skip("needs PostgreSQL, which -short does without")
	}
	url := os.Getenv("TEST_DATABASE_URL")
	if url == "" {
		t.Fatal("TEST_DATABASE_URL is not set: this test needs a PostgreSQL server; make test provides one")
	}
	conn, err := pgconn.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	execute(t, conn, "SET TimeZone = 'UTC'")
	return conn
}

type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// execute runs SQL and returns the rows of its last statement as text, NULL as
// "NULL", fields separated by "|".
func execute(t failer, conn *pgconn.PgConn, sql string) []string {
	t.Helper()
	results, err := conn.Exec(context.Background(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range results[len(results)-1].Rows {
		var fields []string
		for _, field := range row {
			if field == nil {
				field = []byte("NULL")
			}
			fields = append(fields, string(field))
		}
		rows = append(rows, strings.Join(fields, "|"))
	}
	return rows
}

func copyIn(t failer, conn *pgconn.PgConn, table string, stream []byte) {
	t.Helper()
	if _, err := conn.CopyFrom(context.Background(), bytes.NewReader(stream), "COPY "+table+" FROM STDIN (FORMAT binary)"); err != nil {
		t.Fatal(err)
	}
}

func copyOut(t failer, conn *pgconn.PgConn, query string) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := conn.CopyTo(context.Background(), &out, "COPY ("+query+") TO STDOUT (FORMAT binary)"); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEveryTypeInPostgres(t *testing.T) {
	conn := connect(t)
	execute(t, conn, `CREATE TEMP TABLE every (a text, b bytea, c integer, d bigint, e boolean, f date,
		g timestamp with time zone, h numeric, i uuid, j json)`)
	var out bytes.Buffer
	w := NewWriter(&out)
	w.Row(10)
	w.String("Zoé, «née» 1990\n")
	w.Bytea([]byte{0, 1, 0xff})
	w.Int4(-7)
	w.Int8(-9223372036854775808)
	w.Bool(true)
	w.Date(time.Date(1, 1, 1, 23, 59, 0, 0, time.FixedZone("", 3600)))
	w.Timestamptz(time.Date(2024, 10, 8, 12, 30, 15, 123456500, time.FixedZone("", 7200)))
	if err := w.Numeric([]byte("-12.30")); err != nil {
		t.Fatal(err)
	}
	w.UUID([16]byte{0x01, 0x92, 15: 0xff})
	w.JSON([]byte(`{"a": [1, null]}`))
	w.Row(10)
	for range 10 {
		w.Null()
	}
	w.Row(10)
	w.Text(nil)
	w.Bytea(nil)
	w.Field([]byte{0, 0, 0, 9})
	w.Int8(0)
	w.Bool(false)
	w.Field(nil)
	for range 4 {
		w.Null()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	copyIn(t, conn, "every", out.Bytes())
	got := strings.Join(execute(t, conn, "SELECT * FROM every"), "\n")
	want := "Zoé, «née» 1990\n" + `|\x0001ff|-7|-9223372036854775808|t|0001-01-01|2024-10-08 10:30:15.123457+00|-12.30|01920000-0000-0000-0000-0000000000ff|{"a": [1, null]}` + "\n" +
		"NULL" + strings.Repeat("|NULL", 9) + "\n" + `|\x|9|0|f` + strings.Repeat("|NULL", 5)
	if got != want {
		t.Errorf("the table holds\n%s\nwant\n%s", got, want)
	}
	if back := copyOut(t, conn, "SELECT * FROM every"); !bytes.Equal(back, out.Bytes()) {
		t.Errorf("PostgreSQL writes\n%x\nwant\n%x", back, out.Bytes())
	}
}

func TestEmptyStreamInPostgres(t *testing.T) {
	conn := connect(t)
	execute(t, conn, "CREATE TEMP TABLE nothing (a text)")
	var out bytes.Buffer
	if err := NewWriter(&out).Close(); err != nil {
		t.Fatal(err)
	}
	copyIn(t, conn, "nothing", out.Bytes())
	if back := copyOut(t, conn, "SELECT * FROM nothing"); !bytes.Equal(back, out.Bytes()) {
		t.Errorf("PostgreSQL writes %x, want %x", back, out.Bytes())
	}
}

// numericTexts are the edges that generated values seldom meet.
var numericTexts = []string{
	"0", "0.00", "-0", "-0.000", "+1", "1.", ".5", "-.5", "1e-10", "1E+5", "1.50e1", "12e-1", "0e5", "0.0e3", "00012.3400",
	"9999", "10000", "9999.9999", "99999999.00000001", "0.0001", "0.00001", "0.00010000", "1000000000000", "10000.00010000",
	"99999999999999999999999999999999999999", "-0.99999999999999999999999999999999999999",
	"12345678901234567890123456789012345678.12345678901234567890123456789012345678",
	"1e999", "1e-1000", "0." + strings.Repeat("0", 999) + "7", strings.Repeat("9", 1000) + "." + strings.Repeat("9", 1000),
}

func TestNumericsInPostgres(t *testing.T) {
	conn := connect(t)
	execute(t, conn, "CREATE TEMP TABLE numbers (n numeric, lexical text)")
	check := func(t failer, texts []string) {
		var out bytes.Buffer
		w := NewWriter(&out)
		for _, text := range texts {
			w.Row(2)
			if err := w.Numeric([]byte(text)); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			w.String(text)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		execute(t, conn, "TRUNCATE numbers")
		copyIn(t, conn, "numbers", out.Bytes())
		for _, wrong := range execute(t, conn, "SELECT lexical, n FROM numbers WHERE n::text <> lexical::numeric::text") {
			t.Fatalf("wrong: %s", wrong)
		}
		if back := copyOut(t, conn, "SELECT * FROM numbers"); !bytes.Equal(back, out.Bytes()) {
			t.Fatalf("PostgreSQL writes\n%x\nwant\n%x", back, out.Bytes())
		}
		r := NewReader(bytes.NewReader(copyOut(t, conn, "SELECT n, n::text FROM numbers")))
		for range texts {
			fields, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			got, err := appendNumeric([]byte("= "), fields[0])
			if err != nil || string(got) != "= "+string(fields[1]) {
				t.Fatalf("read %q, %v, want %q", got, err, fields[1])
			}
		}
	}
	check(t, numericTexts)
	digits := func(least int) *rapid.Generator[string] {
		return rapid.StringMatching(fmt.Sprintf("[0-9]{%d,38}|[09]{%d,38}|0{%d,12}[1-9]{1,3}0{0,12}", least, least, least))
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			text := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, "sign") + digits(1).Draw(t, "whole")
			if rapid.Bool().Draw(t, "point") {
				text += "." + digits(0).Draw(t, "fraction")
			}
			if rapid.Bool().Draw(t, "exponential") {
				text += fmt.Sprintf("e%d", rapid.IntRange(-60, 60).Draw(t, "exponent"))
			}
			return text
		}), 1, 20).Draw(t, "numbers"))
	})
}

func TestDatesInPostgres(t *testing.T) {
	conn := connect(t)
	execute(t, conn, "CREATE TEMP TABLE dates (d date, ts timestamp with time zone, lexical_d text, lexical_ts text)")
	check := func(t failer, times []time.Time) {
		var out bytes.Buffer
		w := NewWriter(&out)
		for _, at := range times {
			w.Row(4)
			w.Date(at)
			w.Timestamptz(at)
			w.String(at.Format(time.DateOnly))
			w.String(at.Format("2006-01-02T15:04:05.999999Z07:00"))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		execute(t, conn, "TRUNCATE dates")
		copyIn(t, conn, "dates", out.Bytes())
		for _, wrong := range execute(t, conn, `SELECT * FROM dates
			WHERE d::text <> lexical_d::date::text OR ts::text <> lexical_ts::timestamp with time zone::text`) {
			t.Fatalf("wrong: %s", wrong)
		}
		stream := copyOut(t, conn, "SELECT * FROM dates")
		if !bytes.Equal(stream, out.Bytes()) {
			t.Fatalf("PostgreSQL writes\n%x\nwant\n%x", stream, out.Bytes())
		}
		r := NewReader(bytes.NewReader(stream))
		for _, at := range times {
			fields, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			day, err := decodeDate(fields[0])
			if err != nil || day.Format(time.DateTime) != at.Format(time.DateOnly)+" 00:00:00" {
				t.Fatalf("read the date %v, %v, want %v", day, err, at)
			}
			instant, err := decodeTimestamptz(fields[1])
			if err != nil || !instant.Equal(at) {
				t.Fatalf("read the instant %v, %v, want %v", instant, err, at)
			}
		}
	}
	check(t, []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 1000, time.UTC),
		time.Date(2024, 2, 29, 0, 30, 0, 0, time.FixedZone("", 14*3600)),
		time.Date(1582, 10, 10, 0, 0, 0, 0, time.UTC),
	})
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Time {
			zone := time.FixedZone("", 60*rapid.IntRange(-15*60, 15*60).Draw(t, "minutes"))
			micros := rapid.Int64Range(
				time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).UnixMicro(), time.Date(9999, 12, 30, 23, 0, 0, 0, time.UTC).UnixMicro(),
			).Draw(t, "micros")
			return time.UnixMicro(micros).In(zone)
		}), 1, 20).Draw(t, "times"))
	})
}

func TestReaderOnPostgres(t *testing.T) {
	conn := connect(t)
	stream := copyOut(t, conn, `SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE repeat('é', i * 7 % 100000) END, i % 2 = 0,
		'01920000-0000-0000-0000-0000000000ff'::uuid, -i::bigint FROM generate_series(1, 2000) i`)
	r := NewReader(bytes.NewReader(stream))
	for i := 1; i <= 2000; i++ {
		fields, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		n, err4 := decodeInt4(fields[0])
		even, errBool := decodeBool(fields[2])
		id, errUUID := DecodeUUID(fields[3])
		negative, err8 := DecodeInt8(fields[4])
		if err4 != nil || errBool != nil || errUUID != nil || err8 != nil {
			t.Fatal(err4, errBool, errUUID, err8)
		}
		if int(n) != i || even != (i%2 == 0) || id != [16]byte{0x01, 0x92, 15: 0xff} || negative != int64(-i) {
			t.Fatalf("row %d: %d, %v, %x, %d", i, n, even, id, negative)
		}
		if i%3 == 0 && fields[1] != nil || i%3 != 0 && string(fields[1]) != strings.Repeat("é", i*7%100000) {
			t.Fatalf("row %d: a text of %d bytes", i, len(fields[1]))
		}
	}
	assertEnd(t, r)
}
