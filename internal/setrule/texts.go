package setrule

import (
	"fmt"
	"strconv"
	"strings"
)

// The texts of this file explain why a rule over more than one record rejects a
// record. None of them holds a value of the record.

// DuplicateText returns the text for a record whose key, or unique field, has the same
// value on an earlier line of the file. That line counts.
func DuplicateText(fields []string, firstLine int64) string {
	return duplicate(fields, strconv.FormatInt(firstLine, 10))
}

// firstLine is the placeholder for the first line in [DuplicateTemplate]. The
// database, which checks uniqueness, fills in the number.
const firstLine = "{ligne}"

// DuplicateTemplate is [DuplicateText] with firstLine in place of the number.
func DuplicateTemplate(fields []string) string { return duplicate(fields, firstLine) }

func duplicate(fields []string, line string) string {
	return fmt.Sprintf("%s en double : la ligne %s porte déjà cette valeur.", subject(fields, "est", "sont"), line)
}

// UnknownParentText returns the text for a record whose parent, of another resource, is
// neither valid in this import nor, where that counts, in the target table.
func UnknownParentText(fields []string, parent string) string {
	return fmt.Sprintf("%s à un enregistrement de '%s' inconnu ou rejeté.", subject(fields, "renvoie", "renvoient"), parent)
}

// CycleText returns the text for a record to which its own relation leads back.
func CycleText(fields []string) string {
	return fmt.Sprintf("%s, de parent en parent, à l'enregistrement lui-même.", subject(fields, "ramène", "ramènent"))
}

// subject returns the beginning of a sentence about one or several fields.
func subject(fields []string, one, several string) string {
	if len(fields) == 1 {
		return fmt.Sprintf("Le champ '%s' %s", fields[0], one)
	}
	return fmt.Sprintf("Les champs '%s' %s", strings.Join(fields, "', '"), several)
}
