package contract_test

import (
	"regexp"
	"strings"
	"testing"

	"etl-dataloader/internal/contract"
)

// TestMayHoldLineEnd: in the delivered contract only free text can hold a line end.
func TestMayHoldLineEnd(t *testing.T) {
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	var may []string
	for _, r := range pkg.Resources {
		for _, f := range r.Fields {
			if f.MayHoldLineEnd() {
				may = append(may, r.Name+"."+f.Name)
			}
		}
	}
	const want = "clients.address clients.city produits.name categories.name magasins.name magasins.city fournisseurs.name fournisseurs.vat_number paiements.iban"
	if got := strings.Join(may, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPatternWithLineEnd: a pattern or enumeration that admits a line end counts.
func TestPatternWithLineEnd(t *testing.T) {
	for pattern, want := range map[string]bool{
		`.*`: false, `[^,]*`: true, `(?s).*`: true, `\s+`: true, `[\p{L}\p{M} ]+`: false, `\p{Z}`: false, `[0-9]{10}`: false, `a(?:b|c\nd)?`: true, `[[:cntrl:]]x`: true,
	} {
		f := contract.Field{Type: contract.TypeString, Constraints: contract.Constraints{Pattern: regexp.MustCompile(`\A(?:` + pattern + `)\z`)}}
		if got := f.MayHoldLineEnd(); got != want {
			t.Errorf("%s: %t, want %t", pattern, got, want)
		}
	}
	for values, want := range map[string]bool{"EUR,USD": false, "EUR,U\nD": true} {
		f := contract.Field{Type: contract.TypeString, Constraints: contract.Constraints{Enum: strings.Split(values, ",")}}
		if got := f.MayHoldLineEnd(); got != want {
			t.Errorf("%q: %t, want %t", values, got, want)
		}
	}
}
