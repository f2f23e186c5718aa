package staged

import (
	"bytes"
	"errors"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/protection"
)

// stagedRows are the staged rows of a file, with their lines.
func stagedRows(t *testing.T, r *contract.Resource, format, text string) (rows [][][]byte, lines []int64) {
	t.Helper()
	stream, _ := throughStaging(t, r, format, text)
	if err := copybinary.Each(bytes.NewReader(stream), func(row [][]byte) error {
		kept := make([][]byte, len(row))
		for i, cell := range row {
			kept[i] = bytes.Clone(cell)
		}
		line, err := Line(row)
		rows, lines = append(rows, kept), append(lines, line)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return rows, lines
}

// TestCopiedValue: a sealed value that is copied to another record, with everything
// that stands beside it, does not open there.
func TestCopiedValue(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := pkg.Resource("paiements")
	rows, lines := stagedRows(t, r, "csv", payments)
	_, open := testKeys(t, r)
	reader := NewReader(r, open)
	for i, row := range rows {
		if _, err := reader.Values(row, lines[i]); err != nil {
			t.Fatalf("line %d: %v", lines[i], err)
		}
	}
	iban := Fields(r)[r.Field("iban").Index].Value
	rows[1][iban] = rows[0][iban]
	if _, err := reader.Values(rows[1], lines[0]); !errors.Is(err, protection.ErrOpen) {
		t.Errorf("an IBAN copied to another payment with its line number opens: %v", err)
	}
}

// TestRecord: what a row's own values are bound to is what a value that is added to its
// record is to be bound to.
func TestRecord(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for resource, text := range map[string]string{
		"paiements": payments,
		"clients":   "0201,Ana,Neuf,ana@x.fr,3000000001,,,,Paris,FR,2024-10-07T09:00:00Z\n",
	} {
		r := pkg.Resource(resource)
		rows, lines := stagedRows(t, r, "csv", text)
		_, open := testKeys(t, r)
		reader := NewReader(r, open)
		for i, row := range rows {
			of := reader.Record(lines[i], row)
			if of.Line != lines[i] || (len(of.Key) > 0) != (resource == "paiements") {
				t.Errorf("%s, line %d: bound to line %d and a key of %d bytes", resource, lines[i], of.Line, len(of.Key))
			}
			for j, f := range r.Fields {
				sealed := row[Fields(r)[j].Value]
				if !f.Sensitive() || sealed == nil {
					continue
				}
				if _, err := open(nil, of, f.Name, sealed); err != nil {
					t.Errorf("%s, line %d, %s: %v", resource, lines[i], f.Name, err)
				}
			}
		}
	}
}

// payments are two, whose keys and IBANs are examples.
const payments = "501,1001,25.00,virement,FR7630006000011234567890189,2024-10-08T10:00:00Z\n" +
	"+0502,1002,8.00,virement,FR1420041010050500013M02606,2024-10-08T10:00:00Z\n"

// TestBlankKey: a record whose key is a blank text is bound to none, as the staged row
// has none, and so opens for the validation that rejects it.
func TestBlankKey(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := pkg.Resource("paiements")
	r.Field("payment_id").Type = contract.TypeString
	rows, lines := stagedRows(t, r, "csv", "  ,1001,25.00,virement,FR7630006000011234567890189,2024-10-08T10:00:00Z\n")
	_, open := testKeys(t, r)
	if _, err := NewReader(r, open).Values(rows[0], lines[0]); err != nil {
		t.Error(err)
	}
}

// TestWipe: no decrypted value outlives Wipe, whichever way it was read, and however
// long the values before it were.
func TestWipe(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := pkg.Resource("paiements")
	rows, lines := stagedRows(t, r, "csv", payments)
	_, open := testKeys(t, r)
	reader, iban := NewReader(r, open), r.Field("iban")
	one, err := reader.Value(iban, lines[0], rows[0])
	if err != nil || len(one.Text) == 0 {
		t.Fatalf("%d bytes, %v", len(one.Text), err)
	}
	all, err := reader.Values(rows[1], lines[1])
	if err != nil {
		t.Fatal(err)
	}
	reader.Wipe()
	for name, text := range map[string][]byte{"Value": one.Text, "Values": all[iban.Index].Text} {
		if !bytes.Equal(text, make([]byte, len(text))) {
			t.Errorf("what %s returned is still there", name)
		}
	}
}
