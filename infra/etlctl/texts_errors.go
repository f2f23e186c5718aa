package main

import (
	"fmt"

	"etl-dataloader/internal/message"
)

// textNoDatabase is the error when the database's address is not set.
const textNoDatabase = "Le réglage DATABASE_URL manque : les erreurs se lisent dans PostgreSQL. " +
	"Lancez d'abord « make up » (pile locale), ou donnez l'adresse de la base."

// Titles of the tables of errors.
const (
	textTitleRules  = "Erreurs par règle"
	textTitleErrors = "Erreurs"
)

// Columns of these tables, separated by "|".
const (
	textColumnsRules  = "Règle|Erreurs|Enregistrements|Ressources"
	textColumnsErrors = "Fichier|Ligne|Champ|Règle|Détail|Étape"
)

// textNoErrors notes that no error matches the filters.
const textNoErrors = "Aucune erreur."

// textErrorsOf is the heading over the errors of an import.
func textErrorsOf(importID string, generation int) string {
	return fmt.Sprintf("Import %s, génération %d", importID, generation)
}

// textMoreErrors notes that not all errors are shown.
func textMoreErrors(shown, all int64) string {
	return fmt.Sprintf("Erreurs montrées : %s sur %s ; --limit 0 les montre toutes.", message.Count(shown), message.Count(all))
}

// textNotInDatabase is the error when the database does not know an import.
func textNotInDatabase(importID string) string {
	return "La base ne connaît pas l'import " + message.Name(importID) + " : il n'existe pas, ou n'a encore rien chargé (make status IMPORT_ID=" + importID + ")."
}
