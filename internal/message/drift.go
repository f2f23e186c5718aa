package message

// HeaderReordered is the log message about a file whose columns are not in the
// contract's order, which is accepted.
const HeaderReordered = "Colonnes dans un autre ordre que celui du contrat, acceptées"

// HeaderOrder lists the columns of a file in their order.
func HeaderOrder(columns []string) string {
	return "Ordre des colonnes du fichier : " + List(columns, ", ") + "."
}
