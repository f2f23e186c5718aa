package setrule

import (
	"strings"
	"testing"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		DuplicateText([]string{"client_id"}, 12):             "Le champ 'client_id' est en double : la ligne 12 porte déjà cette valeur.",
		DuplicateText([]string{"product_id", "store_id"}, 3): "Les champs 'product_id', 'store_id' sont en double : la ligne 3 porte déjà cette valeur.",
		UnknownParentText([]string{"client_id"}, "clients"):  "Le champ 'client_id' renvoie à un enregistrement de 'clients' inconnu ou rejeté.",
		UnknownParentText([]string{"a", "b"}, "stocks"):      "Les champs 'a', 'b' renvoient à un enregistrement de 'stocks' inconnu ou rejeté.",
		CycleText([]string{"parent_category_id"}):            "Le champ 'parent_category_id' ramène, de parent en parent, à l'enregistrement lui-même.",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestDuplicateTemplate: with the number put in, it is what DuplicateText says.
func TestDuplicateTemplate(t *testing.T) {
	t.Parallel()
	for _, fields := range [][]string{{"client_id"}, {"product_id", "store_id"}} {
		got := strings.ReplaceAll(DuplicateTemplate(fields), firstLine, "1234")
		if want := DuplicateText(fields, 1234); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
