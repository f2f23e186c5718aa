package message_test

import (
	"fmt"
	"strings"
	"testing"

	"etl-dataloader/internal/message"
)

// TestInvalidFiles: one text names every file, however long the reasons are.
func TestInvalidFiles(t *testing.T) {
	t.Parallel()
	one := message.InvalidFiles([][2]string{{"store_data_20241008.csv", message.FileEmpty}})
	if want := "Fichier rejeté : store_data_20241008.csv : le fichier est vide. Rien n'a été publié. Déposez un fichier corrigé : l'import recommence alors de lui-même (sinon : restart)."; one != want {
		t.Errorf("%q", one)
	}
	var files [][2]string
	for n := range 11 {
		files = append(files, [2]string{fmt.Sprintf("employee_data_%d_20241008.jsonl", n), strings.Repeat("é", 10_000)})
	}
	all := message.Text(message.InvalidFiles(files))
	if !strings.HasPrefix(all, "11 fichiers rejetés : ") || !strings.HasSuffix(all, "(sinon : restart).") {
		t.Errorf("%q", all)
	}
	for _, f := range files {
		if !strings.Contains(all, f[0]) {
			t.Errorf("%s is not named in %q", f[0], all)
		}
	}
}
