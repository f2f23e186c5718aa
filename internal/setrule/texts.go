package setrule

import (
	"fmt"
	"strconv"
	"strings"
)

// The texts of this file explain why a rule over more than one record rejects a
// record. None of them holds a value of the record.

// DuplicateText says that an earlier line of the file has the same key or the same
// value of a unique field; that line stands.
func DuplicateText(fields []string, firstLine int64) string {
	return duplicate(fields, strconv.FormatInt(firstLine, 10))
}

// FirstLine stands for the first line in [DuplicateTemplate]: uniqueness is
// checked by the database, which puts the number in.
const FirstLine = "{ligne}"

// DuplicateTemplate is [DuplicateText] with [FirstLine] in place of the number.
func DuplicateTemplate(fields []string) string { return duplicate(fields, FirstLine) }

func duplicate(fields []string, line string) string {
	return fmt.Sprintf("%s en double : la ligne %s porte déjà cette valeur.", subject(fields, "est", "sont"), line)
}

// UnknownParentText says that a record refers to one of another resource that is
// neither valid in this import nor, where that counts, in the target table.
func UnknownParentText(fields []string, parent string) string {
	return fmt.Sprintf("%s à un enregistrement de '%s' inconnu ou rejeté.", subject(fields, "renvoie", "renvoient"), parent)
}

// CycleText says that following the relation of the fields leads back to the record.
func CycleText(fields []string) string {
	return fmt.Sprintf("%s, de parent en parent, à l'enregistrement lui-même.", subject(fields, "ramène", "ramènent"))
}

// subject begins a sentence about one or several fields.
func subject(fields []string, one, several string) string {
	if len(fields) == 1 {
		return fmt.Sprintf("Le champ '%s' %s", fields[0], one)
	}
	return fmt.Sprintf("Les champs '%s' %s", strings.Join(fields, "', '"), several)
}
