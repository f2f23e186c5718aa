package staged

import (
	"testing"

	"etl-dataloader/internal/contract"
)

// TestFields: the cells of a row stand where the columns of the COPY stream do.
func TestFields(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range pkg.Resources {
		want := map[int]string{0: "chunk", lineCell: "line_number", faultCell: "fault", rawCell: "raw", mistypedCell: "mistyped"}
		for i, cells := range Fields(r) {
			name := r.Fields[i].Name
			want[cells.Value] = name
			if cells.Token >= 0 {
				want[cells.Token] = name + contract.TokenSuffix
			}
			if cells.Key >= 0 {
				want[cells.Key] = name + contract.KeySuffix
			}
		}
		columns := r.StagingStream()
		if len(want) != len(columns) {
			t.Errorf("%s has cells for %d of %d columns", r.Name, len(want), len(columns))
		}
		for i, c := range columns {
			if want[i] != c.Name {
				t.Errorf("%s: cell %d is %q, the column %q", r.Name, i, want[i], c.Name)
			}
		}
	}
}
