package validation

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/record"
)

// The texts of this file explain why a record is rejected. None of them holds
// a value of the record, whether the field is sensitive or not; bounds and
// allowed values are those of the contract. Rules that the contract itself
// words (etl:rules, etl:relationRules) have their text there.

// maxListed is how many allowed values a text lists at most.
const maxListed = 10

// RequiredText says that a mandatory field has no value.
func RequiredText(field string) string { return fmt.Sprintf("Le champ '%s' est vide.", field) }

// TypeText says that a value is not of the field's type, which is one of Table
// Schema's.
func TypeText(field, fieldType string) string {
	return fmt.Sprintf("Le champ '%s' n'est pas %s.", field, typeName(fieldType))
}

func typeName(fieldType string) string {
	switch fieldType {
	case "integer":
		return "un entier"
	case "number":
		return "un nombre décimal"
	case "boolean":
		return "un booléen (true ou false)"
	case "date":
		return "une date du calendrier (AAAA-MM-JJ)"
	case "datetime":
		return "une date et heure avec fuseau (RFC 3339)"
	case "string":
		return "un texte"
	default:
		return "du type attendu"
	}
}

// EmailText says that a value is no e-mail address.
func EmailText(field string) string {
	return fmt.Sprintf("Le champ '%s' n'a pas la forme d'une adresse électronique.", field)
}

// PatternText says that a value has not the form that the contract asks for;
// expected describes that form, or is empty.
func PatternText(field, expected string) string {
	return withExpected(fmt.Sprintf("Le champ '%s' n'a pas la forme attendue", field), expected)
}

// CharactersText says that a value holds a character that no text may hold.
func CharactersText(field string) string {
	return fmt.Sprintf("Le champ '%s' contient un caractère de contrôle ou le caractère de remplacement U+FFFD.", field)
}

// MinLengthText says that a value is too short; limit is in characters.
func MinLengthText(field string, limit int) string {
	return fmt.Sprintf("Le champ '%s' compte moins de %s.", field, characters(limit))
}

// MaxLengthText says that a value is too long; limit is in characters.
func MaxLengthText(field string, limit int) string {
	return fmt.Sprintf("Le champ '%s' dépasse %s.", field, characters(limit))
}

// MinimumText says that a value is below the smallest one allowed.
func MinimumText(field, limit string) string {
	return fmt.Sprintf("Le champ '%s' est inférieur à %s.", field, limit)
}

// MaximumText says that a value is above the largest one allowed.
func MaximumText(field, limit string) string {
	return fmt.Sprintf("Le champ '%s' est supérieur à %s.", field, limit)
}

// ExclusiveMinimumText says that a value must be above limit and is not.
func ExclusiveMinimumText(field, limit string) string {
	return fmt.Sprintf("Le champ '%s' n'est pas strictement supérieur à %s.", field, limit)
}

// ExclusiveMaximumText says that a value must be below limit and is not.
func ExclusiveMaximumText(field, limit string) string {
	return fmt.Sprintf("Le champ '%s' n'est pas strictement inférieur à %s.", field, limit)
}

// EnumText says that a value is none of the allowed ones. They are listed if they
// are few; else expected describes them, or is empty.
func EnumText(field, expected string, allowed []string) string {
	if len(allowed) <= maxListed {
		expected = strings.Join(allowed, ", ")
	}
	return withExpected(fmt.Sprintf("Le champ '%s' n'est pas une des valeurs admises", field), expected)
}

// MalformedText explains a record that could not be read, by the code of its fault.
func MalformedText(code string) string {
	switch code {
	case "fields":
		return WrongFields(record.Detail{})
	case "quote":
		return "La ligne a un guillemet mal placé ou jamais refermé, ou un champ entre guillemets finit sur une autre ligne."
	case "encoding":
		return "La ligne contient un octet invalide dans l'encodage du fichier."
	case "nul":
		return "La ligne contient un caractère NUL."
	case "size":
		return "L'enregistrement dépasse 1 Mio."
	case "json":
		return "La ligne n'est pas un objet JSON valide."
	default:
		return "La ligne est illisible."
	}
}

func withExpected(text, expected string) string {
	if expected == "" {
		return text + "."
	}
	return text + " : " + expected + "."
}

func characters(n int) string {
	if n == 1 {
		return "1 caractère"
	}
	return fmt.Sprintf("%d caractères", n)
}
