package staged

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/validation"
)

// fatal is a test, or one of its drawn cases.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

// mac is a KMS that makes token keys alone.
type mac struct{ protection.KMS }

func (mac) GenerateMac(_ context.Context, in *kms.GenerateMacInput, _ ...func(*kms.Options)) (*kms.GenerateMacOutput, error) {
	sum := hmac.New(sha256.New, []byte("key"))
	sum.Write(in.Message)
	return &kms.GenerateMacOutput{Mac: sum.Sum(nil)}, nil
}

// testKeys protect a chunk of a resource; open reads what they seal.
func testKeys(t fatal, r *contract.Resource) (keys Keys, open Open) {
	t.Helper()
	key, err := protection.NewDataKey(1, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	scope := protection.Scope{ImportID: "IMPORT_20241009_150000_001", Generation: 1, Resource: r.Name}
	keys.Tokenizers = make([]*protection.Tokenizer, len(r.Fields))
	if keys.Sealer, err = protection.NewSealer(key, scope, 0); err != nil {
		t.Fatal(err)
	}
	for i, f := range r.Fields {
		if f.Sensitivity != contract.Token {
			continue
		}
		tokenKey, err := protection.NewTokenKey(context.Background(), mac{}, "mac", f.Domain)
		if err != nil {
			t.Fatal(err)
		}
		if keys.Tokenizers[i], err = protection.NewTokenizer(tokenKey); err != nil {
			t.Fatal(err)
		}
	}
	return keys, protection.NewOpener(key, scope).Open
}

// throughStaging protects the records of a file and reads the staged rows back.
func throughStaging(t fatal, r *contract.Resource, format, text string) (stream []byte, rows [][]validation.Value) {
	t.Helper()
	checker, err := validation.NewChecker(r, time.Date(2024, 10, 8, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	keys, open := testKeys(t, r)
	var out bytes.Buffer
	w := NewWriter(&out, r, 0, checker, keys)
	records := record.NewReader(strings.NewReader(text), record.Chunk{FirstLine: 2, End: int64(len(text)), Last: true}, validation.Layout(r, format), r.Columns())
	for rec, err := records.Next(); !errors.Is(err, io.EOF); rec, err = records.Next() {
		if err := errors.Join(err, w.Write(rec)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	reader := NewReader(r, open)
	if err := copybinary.Each(bytes.NewReader(out.Bytes()), func(row [][]byte) error {
		line, err := Line(row)
		if code, _ := Fault(row); err != nil || code != nil {
			return err
		}
		values, err := reader.Values(row, line)
		if err != nil {
			return err
		}
		kept := make([]validation.Value, len(values))
		for i, v := range values {
			kept[i] = validation.Value{Text: bytes.Clone(v.Text), Missing: v.Missing, Mistyped: v.Mistyped}
		}
		rows = append(rows, kept)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), rows
}

// TestForgottenComma: where values may stand in any column, none of them is staged
// in clear, and Validate sees the record as it was.
func TestForgottenComma(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		resource, format, text string
		secrets                []string
	}{
		"a street moves into the city":     {"clients", "csv", "201,Ana,Neuf,ana@secret.example,3000000001,,1990-01-01,12 rue Cachée,69001 Secretville,Lyon,FR\n", []string{"Cachée", "Secretville", "Lyon", "secret.example"}},
		"names move into the country":      {"clients", "csv", "201,Ana,Neuf,ana@x.fr,3000000001,,,,Secretville,Cachée,2024-10-07T09:00:00Z\n", []string{"Secretville", "Cachée"}},
		"a phone number is none":           {"clients", "csv", "201,Ana,Neuf,ana@x.fr,3000000001,Secretville,,,Cachée,FR,2024-10-07T09:00:00Z\n", []string{"Secretville", "Cachée"}},
		"a name is a number":               {"clients", "csv", "201,12,Neuf,ana@x.fr,3000000001,,,,Cachée,FR,2024-10-07T09:00:00Z\n", []string{"Cachée"}},
		"a key is none":                    {"magasins", "csv", "Cachée,Secretville,Lyon,FR,2001-01-01\n", []string{"Cachée", "Secretville", "Lyon", "2001-01-01"}},
		"an object where a name should be": {"categories", "jsonl", `{"category_id":1,"name":{"rue":"Cachée"},"parent_category_id":null}` + "\n", []string{"Cachée"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream, rows := throughStaging(t, pkg.Resource(c.resource), c.format, c.text)
			if len(rows) != 1 {
				t.Fatalf("%d records", len(rows))
			}
			for _, secret := range c.secrets {
				if bytes.Contains(stream, []byte(secret)) {
					t.Errorf("%q is staged in clear", secret)
				}
			}
		})
	}
	stream, _ := throughStaging(t, pkg.Resource("clients"), "csv", "201,Ana,Neuf,ana@x.fr,3000000001,,,,Paris,FR,2024-10-07T09:00:00Z\n")
	if !bytes.Contains(stream, []byte("Paris")) {
		t.Error("the city of a sound record is withheld")
	}
}

// Whatever stands in the columns, Validate sees the values that the reader saw, so
// that it finds the same errors; and what is withheld has one.
func TestWithheldProperty(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	cell := rapid.SampledFrom([]string{"", "1", "007", "-3", "x", "FR", "web", "virement", "Lyon", " ", "\u00a0", "2024-10-08", "2024-10-08T09:00:00Z", "12.50", "1e400", "true", "a@b.fr", "+33612345678", "0123456789", "Éva", "12 rue Cachée"})
	rapid.Check(t, func(t *rapid.T) {
		r := pkg.Resources[rapid.IntRange(0, len(pkg.Resources)-1).Draw(t, "resource")]
		row := make([]string, len(r.Fields))
		read := make([]record.Value, len(row))
		for i := range row {
			row[i] = cell.Draw(t, "cell")
			read[i] = record.Value{Text: []byte(row[i]), Missing: row[i] == ""}
		}
		checker, err := validation.NewChecker(r, time.Date(2024, 10, 8, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		seen := make([]validation.Value, len(row))
		validation.Values(seen, r.Fields, read)
		var want, got []validation.Violation
		checker.Check(seen, func(v validation.Violation) { want = append(want, v) })
		fits := checker.Fits(seen)
		if !fits && len(want) == 0 {
			t.Fatalf("%q does not fit, and has no error", row)
		}
		text := strings.Join(row, ",") + "\n"
		if strings.Trim(text, ",\n") == "" {
			return
		}
		stream, rows := throughStaging(t, r, "csv", text)
		if len(rows) != 1 {
			t.Fatalf("%d records of %q", len(rows), text)
		}
		checker.Check(rows[0], func(v validation.Violation) { got = append(got, v) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("errors of %q (-want +got)\n%s", row, diff)
		}
		if !fits && bytes.Contains(stream, []byte("12 rue Cachée")) {
			t.Fatalf("the street of %q is staged in clear", row)
		}
	})
}

func FuzzReadWithheld(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 1, 0})
	f.Add([]byte{0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(_ *testing.T, text []byte) {
		_ = readWithheld(text, make([]validation.Value, 3))
	})
}
