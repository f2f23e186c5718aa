package message

import "fmt"

// MissingFiles explains why an import cannot start.
func MissingFiles(importID string, missing []string) string {
	return fmt.Sprintf("Import %s : fichiers manquants : %s. Déposez-les : l'import reprend de lui-même.",
		importID, List(missing, ", "))
}

// Superseded explains why a late writer was refused.
func Superseded(importID string, generation int) string {
	return fmt.Sprintf("Import %s : la génération %d n'est plus la génération courante, rien n'a été écrit.", importID, generation)
}

// TooManyRecords explains why a daily import is refused before anything is loaded.
func TooManyRecords(importID string, records, limit int64) string {
	return fmt.Sprintf("Import %s : %s enregistrements, alors qu'un import quotidien en admet %s au plus (paramètre MaxDailyRecords de la pile). Rien n'a été chargé.",
		importID, Count(records), Count(limit))
}

// Incompatible explains why a work object cannot be used.
func Incompatible(object, reason string) string {
	return fmt.Sprintf("Objet de travail %s : %s. Recommencez l'import (restart).", object, reason)
}

// Mismatch explains why an import was not published.
func Mismatch(importID, reason string) string {
	return fmt.Sprintf("Import %s : %s. Rien n'a été publié : recommencez l'import (restart).", importID, reason)
}

// Refused explains why a request is not carried out.
func Refused(importID, reason string) string {
	return fmt.Sprintf("Import %s : %s", importID, reason)
}

// StepFailed is the log message of a step that failed.
const StepFailed = "Échec de l'étape"

// Panicked explains the failure of a function that panicked; the value of the
// panic may hold data and is withheld.
const Panicked = "la fonction a paniqué, la valeur n'est pas montrée"

// CountMismatch names a figure that is not what it must be.
func CountMismatch(what, resource string, want, got any) string {
	return fmt.Sprintf("%s de %s : %v attendus, %v trouvés", what, resource, want, got)
}
