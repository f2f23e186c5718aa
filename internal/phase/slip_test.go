package phase_test

import (
	"fmt"
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/validation"
)

// TestSlipCostsItsLine: of 203 products the one with an inch mark before its
// closing quote is rejected, and none of the 202 others, in chunks of a few records.
func TestSlipCostsItsLine(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.chunkRecords = 20
	var products strings.Builder
	products.WriteString("product_id,name,category_id,supplier_id,unit_price,currency,active\n")
	for i := 1; i <= 203; i++ {
		name := []string{"Lampe", `"Câble, 2m"`, "\"Deux\nlignes\""}[i%3]
		if i == 100 {
			name = `"TV 55""`
		}
		fmt.Fprintf(&products, "%d,%s,2,1,499.00,EUR,true\n", i, name)
	}
	sent := day().csv(t)
	sent["produits"] = file{"csv", products.String()}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", sent).all(t)
	l.expectErrors(t, r, "produits", "134 | quote | "+validation.MalformedText("quote"))
	if n := l.count(t, `SELECT count(*) FROM final.produits`); n != 202 {
		t.Errorf("%d products published, want 202", n)
	}
}
