package validation_test

import (
	"strings"
	"testing"

	"etl-dataloader/internal/validation"
)

func TestRuleTexts(t *testing.T) {
	many := strings.Split("abcdefghijk", "")
	for got, want := range map[string]string{
		validation.RequiredText("first_name"):                       "Le champ 'first_name' est vide.",
		validation.TypeText("n", "integer"):                         "Le champ 'n' n'est pas un entier.",
		validation.TypeText("n", "number"):                          "Le champ 'n' n'est pas un nombre décimal.",
		validation.TypeText("n", "boolean"):                         "Le champ 'n' n'est pas un booléen (true ou false).",
		validation.TypeText("n", "date"):                            "Le champ 'n' n'est pas une date du calendrier (AAAA-MM-JJ).",
		validation.TypeText("n", "datetime"):                        "Le champ 'n' n'est pas une date et heure avec fuseau (RFC 3339).",
		validation.TypeText("n", "string"):                          "Le champ 'n' n'est pas un texte.",
		validation.TypeText("n", "geopoint"):                        "Le champ 'n' n'est pas du type attendu.",
		validation.EmailText("email"):                               "Le champ 'email' n'a pas la forme d'une adresse électronique.",
		validation.PatternText("nif", "exactement 10 chiffres"):     "Le champ 'nif' n'a pas la forme attendue : exactement 10 chiffres.",
		validation.PatternText("nif", ""):                           "Le champ 'nif' n'a pas la forme attendue.",
		validation.MinLengthText("n", 1):                            "Le champ 'n' compte moins de 1 caractère.",
		validation.MaxLengthText("n", 50):                           "Le champ 'n' dépasse 50 caractères.",
		validation.MinimumText("n", "1"):                            "Le champ 'n' est inférieur à 1.",
		validation.MaximumText("n", "9"):                            "Le champ 'n' est supérieur à 9.",
		validation.ExclusiveMinimumText("n", "0"):                   "Le champ 'n' n'est pas strictement supérieur à 0.",
		validation.ExclusiveMaximumText("n", "0"):                   "Le champ 'n' n'est pas strictement inférieur à 0.",
		validation.EnumText("currency", "", []string{"EUR", "USD"}): "Le champ 'currency' n'est pas une des valeurs admises : EUR, USD.",
		validation.EnumText("letter", "", many):                     "Le champ 'letter' n'est pas une des valeurs admises.",
		validation.EnumText("letter", "une lettre", many):           "Le champ 'letter' n'est pas une des valeurs admises : une lettre.",
		validation.MalformedText("unheard of"):                      "La ligne est illisible.",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
