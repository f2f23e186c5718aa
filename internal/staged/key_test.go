package staged

import (
	"encoding/hex"
	"errors"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/protection"
)

// TestAppendKey: the text of a staged record and that of its published row bind the
// same key, and two keys are never one.
func TestAppendKey(t *testing.T) {
	t.Parallel()
	field := func(kind contract.Type) *contract.Field { return &contract.Field{Name: "k", Type: kind} }
	for name, c := range map[string]struct {
		field  *contract.Field
		staged string
		want   string // hex
	}{
		"an integer":               {field(contract.TypeInteger), "4711", "00000004" + hex.EncodeToString([]byte("4711"))},
		"with zeros and a sign":    {field(contract.TypeInteger), "+0004711", "00000004" + hex.EncodeToString([]byte("4711"))},
		"negative":                 {field(contract.TypeInteger), "-07", "000000022d37"},
		"an invalid one":           {field(contract.TypeInteger), "7x", "000000023778"},
		"a missing one":            {field(contract.TypeInteger), "", "00000000"},
		"a text":                   {field(contract.TypeString), " é", "0000000320c3a9"},
		"a date":                   {field(contract.TypeDate), "2024-10-08", "0000000a" + hex.EncodeToString([]byte("2024-10-08"))},
		"a boolean":                {field(contract.TypeBoolean), "true", "0000000474727565"},
		"a boolean that is a text": {field(contract.TypeBoolean), "oui", "000000036f7569"},
	} {
		t.Run(name, func(t *testing.T) {
			got := AppendKey([]byte("before"), c.field, []byte(c.staged))
			if hex.EncodeToString(got) != hex.EncodeToString([]byte("before"))+c.want {
				t.Errorf("got %x, want %s", got, c.want)
			}
			if again := AppendKey(AppendKey(nil, c.field, []byte(c.staged)), c.field, []byte(c.staged)); hex.EncodeToString(again) != c.want+c.want {
				t.Errorf("twice gives %x", again)
			}
		})
	}
}

func TestAppendKeyDoesNotAllocate(t *testing.T) {
	f, text, key := &contract.Field{Type: contract.TypeInteger}, []byte("001234567"), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(1000, func() { key = AppendKey(key[:0], f, text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestPublicKey: every field of a primary key is public, and bound, or has a token by
// which it is checked.
func TestPublicKey(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"clients": 0, "employes": 0, "paiements": 1, "stocks": 2} {
		if got := len(PublicKey(pkg.Resource(name))); got != want {
			t.Errorf("%s has %d public fields in its key, want %d", name, got, want)
		}
	}
	for _, r := range pkg.Resources {
		for _, f := range r.KeyFields() {
			if f.Sensitive() && f.Sensitivity != contract.Token {
				t.Errorf("%s.%s is in the key and has no token", r.Name, f.Name)
			}
		}
	}
}

// TestKeyChecker: a record whose key is sensitive is that of its key only if the key
// opens and has the token that is stored.
func TestKeyChecker(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := pkg.Resource("clients")
	rows, lines := stagedRows(t, r, "csv", "0201,Ana,Neuf,ana@x.fr,3000000001,,,,Paris,FR,2024-10-07T09:00:00Z\n202,Bob,Neuf,bob@x.fr,3000000002,,,,Paris,FR,2024-10-07T09:00:00Z\n")
	keys, open := testKeys(t, r)
	checker := NewKeyChecker(r, open, keys.Tokenizers)
	cells := Fields(r)[r.Field("client_id").Index]
	first, second := rows[0][cells.Value], rows[1][cells.Value]
	firstToken, secondToken := rows[0][cells.Token], rows[1][cells.Token]
	nif := rows[0][Fields(r)[r.Field("nif").Index].Value]
	for name, c := range map[string]struct {
		line   int64
		stored StoredKey
		passes bool
	}{
		"its own key":                  {lines[0], StoredKey{first, firstToken}, true},
		"the other's, whole":           {lines[1], StoredKey{second, secondToken}, true},
		"the other's token":            {lines[0], StoredKey{first, secondToken}, false},
		"the other's key and line":     {lines[1], StoredKey{second, firstToken}, false},
		"the other's key":              {lines[0], StoredKey{second, secondToken}, false},
		"no token":                     {lines[0], StoredKey{first, nil}, false},
		"a part of the token":          {lines[0], StoredKey{first, firstToken[:len(firstToken)-1]}, false},
		"no key":                       {lines[0], StoredKey{nil, firstToken}, false},
		"another column of the record": {lines[0], StoredKey{nif, firstToken}, false},
	} {
		err := checker.Check(protection.Record{Line: c.line}, func(*contract.Field) StoredKey { return c.stored })
		if (err == nil) != c.passes || err != nil && !errors.Is(err, protection.ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, buffer := range [][]byte{checker.plain, checker.canonical} {
		for _, b := range buffer[:cap(buffer)] {
			if b != 0 {
				t.Fatal("the key is still in memory")
			}
		}
	}
	if err := NewKeyChecker(r, open, make([]*protection.Tokenizer, len(r.Fields))).Check(protection.Record{Line: lines[0]},
		func(*contract.Field) StoredKey { return StoredKey{first, firstToken} }); !errors.Is(err, protection.ErrOpen) {
		t.Errorf("without a tokenizer: %v", err)
	}
	payments := NewKeyChecker(pkg.Resource("paiements"), open, nil)
	if err := payments.Check(protection.Record{Line: 1}, nil); err != nil {
		t.Errorf("a public key: %v", err)
	}
}
