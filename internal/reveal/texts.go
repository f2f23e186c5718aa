package reveal

import (
	"fmt"

	"etl-dataloader/internal/message"
)

// Lines of the log.
const (
	LogRevealed   = "Lecture de valeurs demandée"
	LogAnswered   = "Lecture de valeurs : issue"
	logNotAudited = "Issue pas inscrite dans etl.audit ; rien n'a été lu"
	logNoAlert    = "Alerte de dépassement impossible"
)

// Outcomes in the audit.
const (
	outcomeRevealed = "revealed"
	outcomeFound    = "found"
)

// Refusals: why, and what to do instead. None of them shows a value.
const (
	RefusedUnverified = "identité non vérifiée : la lecture passe par l'API signée"
	RefusedReason     = "un motif est exigé"
	RefusedEcho       = "le motif répète la valeur cherchée ; il est conservé en clair, formulez-le sans elle"
	RefusedShape      = "la demande porte sur les champs d'une table avec une condition, sur un événement, ou sur une ligne rejetée"
	RefusedEvent      = "l'identifiant de l'événement n'est pas un UUID"
	RefusedNoEvent    = "cet événement n'existe pas"
	RefusedNoLine     = "cette ligne n'est pas un rejet de la génération courante de cet import, ou l'import n'existe pas"
	RefusedPurged     = "cet enregistrement n'est plus en zone de transit ; le fichier reste dans le bucket d'arrivée (etl.files)"
	RefusedDamaged    = "une valeur ne s'ouvre pas : elle n'appartient pas à cet enregistrement, ou sa clé manque"
	RefusedNoKey      = "la clé de données de cet import manque dans etl.data_keys"
)

// RefusedLong refuses a reason that is too long.
func RefusedLong() string {
	return fmt.Sprintf("le motif dépasse %d caractères", longestReason)
}

// RefusedMany refuses more records than a call may reveal.
func RefusedMany() string {
	return fmt.Sprintf("plus de %d enregistrements correspondent ; précisez la condition", MaxRecords)
}

// RefusedDay refuses more records than a day may reveal.
func RefusedDay(used, most int) string {
	return fmt.Sprintf("la limite du jour est atteinte : %d enregistrements lus sur %d ; elle est remise à zéro à minuit UTC", used, most)
}

// RefusedTable refuses a table that does not exist.
func RefusedTable(name string) string {
	return "la table « " + message.Text(name) + " » n'existe pas"
}

// RefusedField refuses a field that a table does not have.
func RefusedField(name, table string) string {
	return "le champ « " + message.Text(name) + " » n'existe pas dans " + table
}

// RefusedNoField refuses a field that no table has.
func RefusedNoField(name string) string {
	return "aucune table n'a de champ « " + message.Text(name) + " »"
}

// RefusedInEvents refuses a field that a source adds to the events of a table.
func RefusedInEvents(name string) string {
	return "le champ « " + name + " » vient de l'enrichissement : il n'est que dans les événements, qui se lisent par leur event_id"
}

// RefusedPublic refuses to reveal a field that is stored in clear.
func RefusedPublic(name, table string) string {
	return "le champ « " + name + " » n'est pas sensible : il se lit en clair dans final." + table
}

// RefusedNothing refuses a table without sensitive fields.
func RefusedNothing(table string) string { return "la table " + table + " n'a aucun champ sensible" }

// RefusedSearch refuses to look records up by a field that has no token.
func RefusedSearch(name string) string {
	return "on ne peut pas chercher par le champ « " + name + " » : il est chiffré sans jeton"
}

// RefusedValue refuses a value that a field cannot have.
func RefusedValue(name string) string {
	return "la valeur cherchée n'a pas la forme du champ « " + name + " »"
}

// RefusedUnknown refuses to look for a field that no table has with a token.
func RefusedUnknown(name string) string {
	return "aucune table n'a de champ « " + message.Text(name) + " » avec un jeton"
}
