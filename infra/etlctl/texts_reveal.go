package main

import (
	"fmt"

	"etl-dataloader/internal/message"
)

// textRevealHelp returns the help texts of the commands that read what is encrypted.
func textRevealHelp() map[string]string {
	return map[string]string{
		"reveal": "Montre des valeurs chiffrées, si votre identité AWS en a le droit ; la demande et son motif sont inscrits dans etl.audit. " +
			"Trois formes : reveal TABLE --where CHAMP=VALEUR --fields CHAMP,… ; reveal --event EVENT_ID ; reveal --raw IMPORT_ID FICHIER LIGNE.",
		"reveal_table":  "Table, par exemple clients ; avec --raw : IMPORT_ID FICHIER LIGNE.",
		"reveal_where":  "Condition sur un champ, par exemple client_id=4242.",
		"reveal_fields": "Champs sensibles à montrer, séparés par des virgules.",
		"reveal_event":  "Montre les champs sensibles d'un événement.",
		"reveal_raw":    "Montre une ligne rejetée telle qu'elle est arrivée.",
		"reveal_reason": "Motif de la lecture, conservé en clair : n'y écrivez aucune valeur.",
		"reveal_json":   "Écrit la réponse en JSON, avec les valeurs exactes.",

		"find":        "Dit où sont les données d'une personne : tables, événements, rejets, fichiers. Ne montre aucune valeur.",
		"find_field":  "Champ, par exemple client_id.",
		"find_value":  "Valeur cherchée.",
		"find_reason": "Motif, conservé en clair.",
	}
}

// What is wrong with the arguments of reveal.
const (
	textBadWhere  = "--where attend CHAMP=VALEUR, par exemple client_id=4242."
	textBadRaw    = "--raw attend trois arguments : IMPORT_ID FICHIER LIGNE."
	textBadReveal = "Une table avec --where et --fields, ou --event, ou --raw : une seule de ces formes."
)

// textBadLine is the error of a line number that is none.
func textBadLine(line string) string {
	return "« " + message.Text(line) + " » n'est pas un numéro de ligne."
}

// textTooSlow says that a request took too long.
const textTooSlow = "la lecture dépasse 30 secondes ; précisez la condition ou cherchez par la clé"

// textRecord heads the values of a record.
func textRecord(resource, importID string, line int64) string {
	return fmt.Sprintf("%s, import %s, ligne %d", message.Text(resource), message.Text(importID), line)
}

// textRevealed ends the values.
func textRevealed(records int, requestID string) string {
	return fmt.Sprintf("%s enregistrement(s) ; demande %s dans etl.audit.", message.Count(int64(records)), message.Text(requestID))
}

// Tables of find.
const (
	textColumnsPlaces   = "Table|Champ|final|Événements|Transit|Rejets|Erreurs"
	textColumnsVersions = "Table|Fichier|Version"
	textTitleVersions   = "Versions des fichiers"
)

// textFound ends the places.
func textFound(requestID string) string {
	return "Aucune valeur n'a été lue ; demande " + message.Text(requestID) + " dans etl.audit."
}
