package phase_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
)

// TestStagedTables: after IndexStaging the planner knows the columns that rules
// compare, each key has its index, and the table is a partition of its parent.
func TestStagedTables(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "IndexStaging")
	const suffix = "_20241009_150000_001_g1"
	for resource, want := range map[string]struct{ known, indexed []string }{
		"ventes": {
			known:   []string{"client_id_token", "line_number", "product_id_key", "quantity_key", "sale_id_key", "store_id_key"},
			indexed: []string{"(sale_id_key, line_number)"},
		},
		"clients": {
			known:   []string{"client_id_token", "line_number", "nif_token"},
			indexed: []string{"(client_id_token, line_number)", "(nif_token, line_number)"},
		},
		"stocks": {
			known:   []string{"line_number", "product_id_key", "store_id_key"},
			indexed: []string{"(product_id_key, store_id_key, line_number)"},
		},
	} {
		leaf := "staging_" + resource + suffix
		if diff := cmp.Diff(want.known, column(t, l.conn, `SELECT attname::text FROM pg_stats WHERE schemaname = 'partitions' AND tablename = $1 ORDER BY attname::text`, leaf)); diff != "" {
			t.Errorf("%s: columns with statistics (-want +got)\n%s", resource, diff)
		}
		if diff := cmp.Diff(want.indexed, column(t, l.conn, `SELECT substring(indexdef from '\(.*') FROM pg_indexes WHERE schemaname = 'partitions' AND tablename = $1 ORDER BY 1`, leaf)); diff != "" {
			t.Errorf("%s: indexes (-want +got)\n%s", resource, diff)
		}
		if diff := cmp.Diff([]string{"staging." + resource}, column(t, l.conn, `SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = ('partitions.' || $1)::regclass`, leaf)); diff != "" {
			t.Errorf("%s: parent (-want +got)\n%s", resource, diff)
		}
	}
}
