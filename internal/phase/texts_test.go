package phase_test

import (
	"strings"
	"testing"

	"etl-dataloader/internal/phase"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	for text, parts := range map[string][]string{
		phase.CountMismatch("lignes", "clients", 3, "4"):      {"lignes de clients", "3 attendus", "4 trouvés"},
		phase.OrphanRows(5, "ventes", "store_id", "magasins"): {"5 lignes de ventes", "'store_id'", "magasins"},
		phase.NewerRowsKept("stocks", 7):                      {"stocks", "7"},
		phase.NotEnriched("clients", "timeout"):               {"'clients'", "timeout"},
	} {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%q does not say %q", text, part)
			}
		}
	}
}

func TestOverBudget(t *testing.T) {
	t.Parallel()
	for limits, want := range map[[3]int64]string{
		{-1, 50_000, 0}:    "f.csv, 312 rejetés sur 1 000 lus (31,2 % ; limite : 5 %)",
		{-1, 50_000, 2000}: "f.csv, 312 rejetés sur 1 000 lus (31,2 % ; limite : 5 % au-delà de 2 000 rejets)",
		{300, -1, 0}:       "f.csv, 312 rejetés sur 1 000 lus (31,2 % ; limite : 300)",
		{1000, 125, 0}:     "f.csv, 312 rejetés sur 1 000 lus (31,2 % ; limite : 1 000 et 0,0125 %)",
	} {
		got := strings.ReplaceAll(phase.OverBudget("f.csv", 312, 1000, limits[0], limits[1], limits[2]), "\u00a0", " ")
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
