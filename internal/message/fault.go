package message

import "fmt"

// MissingFiles refuses to start an import that lacks files.
func MissingFiles(importID string, missing []string) string {
	return fmt.Sprintf("Import %s : fichiers manquants : %s. Déposez-les : l'import reprend de lui-même.",
		importID, List(missing, ", "))
}

// Superseded refuses a writer of an earlier generation.
func Superseded(importID string, generation int) string {
	return fmt.Sprintf("Import %s : la génération %d n'est plus la génération courante, rien n'a été écrit.", importID, generation)
}

// TooManyRecords refuses a daily import with too many records, before anything is
// loaded.
func TooManyRecords(importID string, records, limit int64) string {
	return fmt.Sprintf("Import %s : %s enregistrements, alors qu'un import quotidien en admet %s au plus (paramètre MaxDailyRecords de la pile). Rien n'a été chargé.",
		importID, Count(records), Count(limit))
}

// Incompatible refuses a work object that cannot be used.
func Incompatible(object, reason string) string {
	return fmt.Sprintf("Objet de travail %s : %s. Recommencez l'import (restart).", object, reason)
}

// Mismatch reports that an import is not published because its figures differ.
func Mismatch(importID, reason string) string {
	return fmt.Sprintf("Import %s : %s. Rien n'a été publié : recommencez l'import (restart).", importID, reason)
}

// Refused reports that a request was not carried out, and why.
func Refused(importID, reason string) string {
	return fmt.Sprintf("Import %s : %s", importID, reason)
}

// StepFailed is the log message of a step that failed.
const StepFailed = "Échec de l'étape"

// Panicked reports that a function panicked. The panic's value may contain data, so it
// is withheld.
const Panicked = "la fonction a paniqué, la valeur n'est pas montrée"

// CountMismatch reports a figure that differs from the expected one.
func CountMismatch(what, resource string, want, got any) string {
	return fmt.Sprintf("%s de %s : %v attendus, %v trouvés", what, resource, want, got)
}
