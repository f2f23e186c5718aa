package message_test

import (
	"strings"
	"testing"

	"etl-dataloader/internal/message"
)

func TestRuleTexts(t *testing.T) {
	many := strings.Split("abcdefghijk", "")
	for got, want := range map[string]string{
		message.Required("first_name"):                           "Le champ 'first_name' est vide.",
		message.Type("n", "integer"):                             "Le champ 'n' n'est pas un entier.",
		message.Type("n", "number"):                              "Le champ 'n' n'est pas un nombre décimal.",
		message.Type("n", "boolean"):                             "Le champ 'n' n'est pas un booléen (true ou false).",
		message.Type("n", "date"):                                "Le champ 'n' n'est pas une date du calendrier (AAAA-MM-JJ).",
		message.Type("n", "datetime"):                            "Le champ 'n' n'est pas une date et heure avec fuseau (RFC 3339).",
		message.Type("n", "string"):                              "Le champ 'n' n'est pas un texte.",
		message.Type("n", "geopoint"):                            "Le champ 'n' n'est pas du type attendu.",
		message.Email("email"):                                   "Le champ 'email' n'a pas la forme d'une adresse électronique.",
		message.Pattern("nif", "exactement 10 chiffres"):         "Le champ 'nif' n'a pas la forme attendue : exactement 10 chiffres.",
		message.Pattern("nif", ""):                               "Le champ 'nif' n'a pas la forme attendue.",
		message.MinLength("n", 1):                                "Le champ 'n' compte moins de 1 caractère.",
		message.MaxLength("n", 50):                               "Le champ 'n' dépasse 50 caractères.",
		message.Minimum("n", "1"):                                "Le champ 'n' est inférieur à 1.",
		message.Maximum("n", "9"):                                "Le champ 'n' est supérieur à 9.",
		message.ExclusiveMinimum("n", "0"):                       "Le champ 'n' n'est pas strictement supérieur à 0.",
		message.ExclusiveMaximum("n", "0"):                       "Le champ 'n' n'est pas strictement inférieur à 0.",
		message.Enum("currency", "", []string{"EUR", "USD"}):     "Le champ 'currency' n'est pas une des valeurs admises : EUR, USD.",
		message.Enum("letter", "", many):                         "Le champ 'letter' n'est pas une des valeurs admises.",
		message.Enum("letter", "une lettre", many):               "Le champ 'letter' n'est pas une des valeurs admises : une lettre.",
		message.Duplicate([]string{"client_id"}, 12):             "Le champ 'client_id' est en double : la ligne 12 porte déjà cette valeur.",
		message.Duplicate([]string{"product_id", "store_id"}, 3): "Les champs 'product_id', 'store_id' sont en double : la ligne 3 porte déjà cette valeur.",
		message.UnknownParent([]string{"client_id"}, "clients"):  "Le champ 'client_id' renvoie à un enregistrement de 'clients' inconnu ou rejeté.",
		message.UnknownParent([]string{"a", "b"}, "stocks"):      "Les champs 'a', 'b' renvoient à un enregistrement de 'stocks' inconnu ou rejeté.",
		message.Cycle([]string{"parent_category_id"}):            "Le champ 'parent_category_id' ramène, de parent en parent, à l'enregistrement lui-même.",
		message.Malformed("unheard of"):                          "La ligne est illisible.",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
