package message

import "fmt"

// NotRejected says that a record whose values are withheld reached the
// transformation, which only a fault of the product can bring about.
func NotRejected(resource string, line int64) string {
	return fmt.Sprintf("l'enregistrement de la ligne %d de '%s' est chiffré en entier et n'est pas rejeté", line, resource)
}
