package message

import "fmt"

// NotRejected reports that a record with withheld values reached the transformation,
// which only a bug can cause.
func NotRejected(resource string, line int64) string {
	return fmt.Sprintf("l'enregistrement de la ligne %d de '%s' est chiffré en entier et n'est pas rejeté", line, resource)
}
