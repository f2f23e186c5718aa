package phase

import (
	"slices"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
)

// TestKeysOfSeveralFields: records have one key if they agree in all key fields, in their
// canonical forms. Another field of the same values is not it.
func TestKeysOfSeveralFields(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := pkg.Resource("magasins")
	r.Enrichment = &contract.Enrichment{Source: "stores", Key: []string{"city", "country"}}
	in, _ := speedChunk("magasins", "")
	const rows = "1,A,Paris,FR,2001-01-01\n2,B,Paris,US,2001-01-01\n3,C,Lyon,FR,2001-01-01\n4,Paris,Paris,FR,2001-01-01\n"
	in.Chunk.Range.Records, in.Chunk.Range.End = 4, int64(len(rows))
	keys, _ := keysInStream(t, r, in, protectedChunk(t, r, in, rows))
	want := []string{enrichment.JoinKey("Paris", "FR"), enrichment.JoinKey("Paris", "US"), enrichment.JoinKey("Lyon", "FR")}
	if !slices.Equal(keys.distinct, want) || !slices.Equal(keys.of(0), []int{0, 3}) || !slices.Equal(keys.of(2), []int{2}) {
		t.Errorf("keys %q, of records %v", keys.distinct, keys.records)
	}
}
