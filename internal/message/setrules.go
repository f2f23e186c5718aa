package message

import "strings"

// FirstLine stands for the first line in [DuplicateTemplate]: uniqueness is
// checked by the database, which puts the number in.
const FirstLine = "{ligne}"

// DuplicateTemplate is [Duplicate] with [FirstLine] in place of the number.
func DuplicateTemplate(fields []string) string {
	return strings.Replace(Duplicate(fields, 0), "ligne 0", "ligne "+FirstLine, 1)
}
