package validation_test

import (
	"testing"

	"etl-dataloader/internal/record"
	"etl-dataloader/internal/validation"
)

// TestFileReason: what makes a file faulty as a whole, in one short sentence that
// names columns of the contract, positions, and what can be no value.
func TestFileReason(t *testing.T) {
	t.Parallel()
	many := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for want, fault := range map[string]*record.FileError{
		validation.FileEmpty:                    {Reason: "empty"},
		validation.FileCompressed:               {Reason: "compressed"},
		validation.FileLineEnds:                 {Reason: "line_ends"},
		validation.FileCRLines:                  {Reason: "cr_lines"},
		validation.FileLongHeader:               {Reason: "header_length"},
		validation.FileFormat:                   {Reason: "format"},
		validation.FileArray:                    {Reason: "array"},
		validation.FilePretty:                   {Reason: "pretty"},
		validation.FileEncoding("windows-1252"): {Reason: "encoding"},
		"l'en-tête diffère du contrat (colonnes manquantes : a, b)": {Reason: "header", Missing: []string{"a", "b"}},
		"l'en-tête diffère du contrat (colonnes manquantes : a ; colonnes en trop : «·a», A, «b<U+00A0>»)": {
			Reason: "header", Missing: []string{"a"}, Extra: []string{" a", "A", "b\u00a0"},
		},
		"l'en-tête diffère du contrat (colonnes en trop : c, 2 sans nom reconnu (positions 3, 7), 1 sans nom (position 4))": {
			Reason: "header", Extra: []string{"c"}, Hidden: []int{3, 7}, Unnamed: []int{4},
		},
		"l'en-tête diffère du contrat (colonnes en trop : 12 sans nom reconnu (positions 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …))": {
			Reason: "header", Hidden: many,
		},
		"les objets diffèrent du contrat (colonnes manquantes : name ; colonnes en trop : nmae)": {
			Reason: "members", Missing: []string{"name"}, Extra: []string{"nmae"},
		},
		"le tableau JSON s'arrête à l'élément 3 (octet 59), sans crochet fermant : fichier tronqué": {Reason: "cut_off", Element: 3, Offset: 59},
		"autre chose suit le tableau JSON, après l'élément 3 (octet 59)":                            {Reason: "behind", Element: 3, Offset: 59},
		"le tableau JSON est illisible à partir de l'élément 3 (octet 59) : guillemet ou crochet en trop ou manquant": {
			Reason: "tokens", Element: 3, Offset: 59,
		},
	} {
		if got := validation.FileReason("windows-1252", fault); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestColumnName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"name": "name", "prénom": "prénom", "": "«»", " name": "«·name»", "na me\t": "«na·me<U+0009>»", "\ufeffname": "«<U+FEFF>name»", "na\u202eme": "«na<U+202E>me»", "\x1b]0;": "«<U+001B>]0;»",
	} {
		if got := validation.ColumnName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
