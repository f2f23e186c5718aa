package message

// HeaderReordered is the log message of a file whose columns stand in another
// order than the contract's, which is accepted.
const HeaderReordered = "Colonnes dans un autre ordre que celui du contrat, acceptées"

// HeaderOrder tells in which order the columns stand in a file.
func HeaderOrder(columns []string) string {
	return "Ordre des colonnes du fichier : " + List(columns, ", ") + "."
}
