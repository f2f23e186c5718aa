package protection

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var testScope = Scope{ImportID: "IMPORT_20241009_150000_001", Generation: 1, Resource: "clients"}

func testKey(t testing.TB, id uint32) DataKey {
	t.Helper()
	key, err := NewDataKey(id, bytes.Repeat([]byte{byte(id) + 1}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// at is a record without a key.
func at(line int64) Record { return Record{Line: line} }

func testSealer(t testing.TB, key DataKey, scope Scope, chunk int) *Sealer {
	t.Helper()
	s, err := NewSealer(key, scope, chunk)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealedValueOpensInItsOwnCellOnly(t *testing.T) {
	key := testKey(t, 3)
	sealed := testSealer(t, key, testScope, 7).Seal(nil, at(42), "first_name", []byte("Zoé"))
	with := func(change func(*Scope)) Scope {
		scope := testScope
		change(&scope)
		return scope
	}
	chunk := func(n byte) []byte {
		moved := bytes.Clone(sealed)
		moved[headerSize-1] = n
		return moved
	}
	for _, c := range []struct {
		name   string
		key    DataKey
		scope  Scope
		column string
		line   int64
		sealed []byte
		opens  bool
	}{
		{"its own cell", key, testScope, "first_name", 42, sealed, true},
		{"another column", key, testScope, "last_name", 42, sealed, false},
		{"another line", key, testScope, "first_name", 43, sealed, false},
		{"a negative line", key, testScope, "first_name", -42, sealed, false},
		{"another import", key, with(func(s *Scope) { s.ImportID = "IMPORT_20241009_150000_002" }), "first_name", 42, sealed, false},
		{"another generation", key, with(func(s *Scope) { s.Generation = 2 }), "first_name", 42, sealed, false},
		{"another resource", key, with(func(s *Scope) { s.Resource = "employes" }), "first_name", 42, sealed, false},
		{"another chunk", key, testScope, "first_name", 42, chunk(8), false},
		{"another data key", testKey(t, 4), testScope, "first_name", 42, sealed, false},
		{"the same key under another id", DataKey{id: 9, secret: key.secret}, testScope, "first_name", 42, sealed, false},
		{"no data key", DataKey{}, testScope, "first_name", 42, sealed, false},
		{"no scope", key, Scope{}, "first_name", 42, sealed, false},
		{"a letter moved from column to resource", key, with(func(s *Scope) { s.Resource = "clientsf" }), "irst_name", 42, sealed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := NewOpener(c.key, c.scope).Open([]byte("kept "), at(c.line), c.column, c.sealed)
			want := "kept "
			if c.opens {
				want += "Zoé"
			} else if err != ErrOpen { //nolint:errorlint // the very value: nothing may be wrapped in
				t.Errorf("error is %v, want ErrOpen", err)
			}
			if c.opens && err != nil {
				t.Errorf("error is %v", err)
			}
			if string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestDamagedValueDoesNotOpen(t *testing.T) {
	key := testKey(t, 3)
	sealed := testSealer(t, key, testScope, 7).Seal(nil, at(42), "first_name", []byte("Zoé"))
	opener := NewOpener(key, testScope)
	refused := func(what string, value []byte) {
		t.Helper()
		if got, err := opener.Open(nil, at(42), "first_name", value); !errors.Is(err, ErrOpen) || len(got) != 0 {
			t.Errorf("%s: got %q, %v", what, got, err)
		}
	}
	for n := range sealed {
		refused(fmt.Sprintf("cut to %d bytes", n), sealed[:n])
		refused(fmt.Sprintf("without the first %d bytes", n+1), sealed[n+1:])
		for bit := range 8 {
			damaged := bytes.Clone(sealed)
			damaged[n] ^= 1 << bit
			refused(fmt.Sprintf("bit %d of byte %d flipped", bit, n), damaged)
		}
	}
	refused("one byte more", append(bytes.Clone(sealed), 0))
	if _, err := opener.Open(nil, at(42), "first_name", sealed); err != nil {
		t.Errorf("the whole value no longer opens: %v", err)
	}
}

func TestSealAndOpenRoundTrip(t *testing.T) {
	key := testKey(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		scope := Scope{
			ImportID:   rapid.StringN(1, 30, -1).Draw(t, "import"),
			Generation: rapid.IntRange(0, 1000).Draw(t, "generation"),
			Resource:   rapid.StringN(1, 20, -1).Draw(t, "resource"),
		}
		opener := NewOpener(key, scope)
		for range rapid.IntRange(1, 5).Draw(t, "chunks") {
			sealer, err := NewSealer(key, scope, rapid.IntRange(0, math.MaxUint32).Draw(t, "chunk"))
			if err != nil {
				t.Fatal(err)
			}
			column, line := rapid.String().Draw(t, "column"), rapid.Int64().Draw(t, "line")
			text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
			first := sealer.Seal(nil, at(line), column, text)
			again := sealer.Seal([]byte("before"), at(line), column, text)
			if bytes.Equal(first, again[len("before"):]) {
				t.Fatal("sealing a value twice gave the same bytes")
			}
			for _, sealed := range [][]byte{first, again[len("before"):]} {
				got, err := opener.Open(nil, at(line), column, sealed)
				if err != nil || !bytes.Equal(got, text) {
					t.Fatalf("opened %x, %v, want %x", got, err, text)
				}
			}
		}
	})
}

func TestKeyringOpener(t *testing.T) {
	old, current := testKey(t, 1), testKey(t, 2)
	keys := map[uint32]DataKey{1: old, 2: current}
	opener := newKeyringOpener(func(id uint32) (DataKey, bool) { key, ok := keys[id]; return key, ok }, testScope)
	for _, key := range []DataKey{old, current, old} {
		for chunk := range 2 * maxCiphers {
			sealed := testSealer(t, key, testScope, chunk).Seal(nil, at(1), "nif", []byte("0123456789"))
			if got, err := opener.Open(nil, at(1), "nif", sealed); err != nil || string(got) != "0123456789" {
				t.Fatalf("%v, chunk %d: got %q, %v", key, chunk, got, err)
			}
		}
	}
	if len(opener.ciphers) > maxCiphers {
		t.Errorf("%d ciphers are kept", len(opener.ciphers))
	}
	stranger := testSealer(t, testKey(t, 3), testScope, 0).Seal(nil, at(1), "nif", []byte("0123456789"))
	if _, err := opener.Open(nil, at(1), "nif", stranger); !errors.Is(err, ErrOpen) {
		t.Errorf("a value of an unknown key: %v", err)
	}
}

func TestNewSealerRefuses(t *testing.T) {
	key := testKey(t, 1)
	for _, c := range []struct {
		name  string
		key   DataKey
		scope Scope
		chunk int
	}{
		{"no key", DataKey{}, testScope, 0},
		{"no import", key, Scope{Generation: 1, Resource: "clients"}, 0},
		{"no resource", key, Scope{ImportID: "IMPORT_20241009_150000_001", Generation: 1}, 0},
		{"a negative generation", key, Scope{ImportID: "IMPORT_20241009_150000_001", Generation: -1, Resource: "clients"}, 0},
		{"a negative chunk", key, testScope, -1},
		{"a chunk beyond the header", key, testScope, math.MaxUint32 + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := NewSealer(c.key, c.scope, c.chunk); err == nil {
				t.Error("no error")
			}
		})
	}
}

// TestKeyIsBound: a value opens with the key of its record alone.
func TestKeyIsBound(t *testing.T) {
	key := func(texts ...string) (key []byte) {
		for _, text := range texts {
			key = AppendKey(key, []byte(text))
		}
		return key
	}
	dataKey := testKey(t, 1)
	opener := NewOpener(dataKey, testScope)
	sealed := testSealer(t, dataKey, testScope, 0).Seal(nil, Record{7, key("12", "3")}, "iban", []byte("x"))
	for name, c := range map[string]struct {
		of    Record
		opens bool
	}{
		"its own":         {Record{7, key("12", "3")}, true},
		"another":         {Record{7, key("12", "4")}, false},
		"a shifted digit": {Record{7, key("1", "23")}, false},
		"one text":        {Record{7, key("123")}, false},
		"an empty one":    {Record{7, key("12", "")}, false},
		"a part":          {Record{7, key("12")}, false},
		"more":            {Record{7, key("12", "3", "")}, false},
		"none":            {Record{7, nil}, false},
		"another line":    {Record{8, key("12", "3")}, false},
	} {
		if _, err := opener.Open(nil, c.of, "iban", sealed); (err == nil) != c.opens {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVersion1: a value sealed before the key was bound still opens in its own cell,
// whatever the key of its record, and not as a value of version 2.
func TestVersion1(t *testing.T) {
	opener, sealed := NewOpener(testKey(t, 1), testScope), unhex(t, sealedEarlier)
	for _, of := range []Record{{Line: 1}, {Line: 1, Key: AppendKey(nil, []byte("4711"))}} {
		if got, err := opener.Open(nil, of, "nif", sealed); err != nil || string(got) != "0123456789" {
			t.Errorf("it opens as %q, %v", got, err)
		}
	}
	if _, err := opener.Open(nil, at(2), "nif", sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("it opens on another line: %v", err)
	}
	for version := range byte(8) {
		if sealed[0] = version; version != version1 {
			if _, err := opener.Open(nil, at(1), "nif", sealed); !errors.Is(err, ErrOpen) {
				t.Errorf("it opens as version %d: %v", version, err)
			}
		}
	}
}

func TestSealerStopsAtTheLimit(t *testing.T) {
	sealer := testSealer(t, testKey(t, 1), testScope, 0)
	sealer.seals = MaxSeals - 1
	sealer.Seal(nil, at(1), "nif", nil)
	defer func() {
		if recover() == nil {
			t.Error("a value too many was sealed")
		}
	}()
	sealer.Seal(nil, at(1), "nif", nil)
}

func TestDataKey(t *testing.T) {
	for _, n := range []int{0, KeySize - 1, KeySize + 1} {
		if _, err := NewDataKey(1, make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes is accepted", n)
		}
	}
	key, err := NewDataKey(17, []byte(strings.Repeat("S", KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	if key.id != 17 {
		t.Errorf("id is %d", key.id)
	}
	assertHidden(t, key, "DataKey(17)", "SS", "5353", "83 83")
}

// assertHidden fails if some way of printing v shows other than want.
func assertHidden(t *testing.T, v any, want string, secrets ...string) {
	t.Helper()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("a key", slog.Any("key", v))
	for _, text := range []string{
		fmt.Sprint(v), fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprintf("%x", v),
		fmt.Sprintf("%s", v), fmt.Sprintf("%v", struct{ K any }{v}), log.String(),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown as %s", text, want)
		}
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows the key", text)
			}
		}
	}
}

func TestSealAndOpenDoNotAllocate(t *testing.T) {
	key := testKey(t, 1)
	sealer, opener := testSealer(t, key, testScope, 0), NewOpener(key, testScope)
	text, sealed, plain := make([]byte, 28), make([]byte, 0, 128), make([]byte, 0, 128)
	of := Record{Line: 42, Key: AppendKey(nil, []byte("1234567"))}
	if n := testing.AllocsPerRun(1000, func() {
		sealed = sealer.Seal(sealed[:0], of, "first_name", text)
		var err error
		if plain, err = opener.Open(plain[:0], of, "first_name", sealed); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// sealedEarlier is a value of version 1, from an earlier run: "0123456789" under
// testKey 1 for the nif of line 1 in chunk 2 of testScope.
const sealedEarlier = "010000000100000002bcbe0c55788d1bc66ee93325f7b09bf6ea9706a30be1a6face1350b93352feb05d7be4246ef0"

func FuzzOpen(f *testing.F) {
	key, sealed := testKey(f, 1), unhex(f, sealedEarlier)
	f.Add(sealed)
	f.Add(sealed[:Overhead])
	f.Add([]byte{})
	f.Add(make([]byte, Overhead))
	opener := NewOpener(key, testScope)
	f.Fuzz(func(t *testing.T, value []byte) {
		got, err := opener.Open(nil, at(1), "nif", value)
		if bytes.Equal(value, sealed) {
			if err != nil || string(got) != "0123456789" {
				t.Fatalf("the sealed value gives %q, %v", got, err)
			}
			return
		}
		if !errors.Is(err, ErrOpen) || got != nil {
			t.Fatalf("a forged value opens as %x, %v", got, err)
		}
	})
}

// FuzzChanged: a sealed value opens in its own cell, and neither in another one nor
// with a changed byte.
func FuzzChanged(f *testing.F) {
	key := testKey(f, 1)
	f.Fuzz(func(t *testing.T, plain []byte, column string, line int64, otherColumn string, otherLine int64, place uint16, mask byte) {
		sealed := testSealer(t, key, testScope, 2).Seal(nil, at(line), column, plain)
		opener := NewOpener(key, testScope)
		if got, err := opener.Open(nil, at(line), column, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("its own cell gives %q, %v, want %q", got, err, plain)
		}
		if column != otherColumn || line != otherLine {
			if got, err := opener.Open(nil, at(otherLine), otherColumn, sealed); !errors.Is(err, ErrOpen) || got != nil {
				t.Fatalf("the cell (%q, %d) opens what is of (%q, %d): %q, %v", otherColumn, otherLine, column, line, got, err)
			}
		}
		if mask != 0 {
			sealed[int(place)%len(sealed)] ^= mask
			if got, err := opener.Open(nil, at(line), column, sealed); !errors.Is(err, ErrOpen) || got != nil {
				t.Fatalf("with byte %d changed it opens as %q, %v", int(place)%len(sealed), got, err)
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	sealer := testSealer(b, testKey(b, 1), testScope, 0)
	text, dst := make([]byte, 28), make([]byte, 0, 128)
	of := Record{Line: 42, Key: AppendKey(nil, []byte("1234567"))}
	b.ReportAllocs()
	for b.Loop() {
		dst = sealer.Seal(dst[:0], of, "first_name", text)
	}
}

func BenchmarkOpen(b *testing.B) {
	key := testKey(b, 1)
	of := Record{Line: 42, Key: AppendKey(nil, []byte("1234567"))}
	sealed := testSealer(b, key, testScope, 0).Seal(nil, of, "first_name", make([]byte, 28))
	opener, dst := NewOpener(key, testScope), make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = opener.Open(dst[:0], of, "first_name", sealed); err != nil {
			b.Fatal(err)
		}
	}
}
