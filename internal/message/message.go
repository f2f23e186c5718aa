// Package message holds every text that operators read at run time: log
// messages, alerts, statuses, steps and the explanations of rejects. They are
// in French, as the people who operate the system are; a second language is a
// second set of the same names. One file a subject.
package message

// Processing steps, as they stand in logs, errors and reports.
const (
	StepLoading        = "Chargement des fichiers"
	StepProtection     = "Tokenisation et encryptage"
	StepStaging        = "Persistance des données brutes"
	StepValidation     = "Validation des données"
	StepTransformation = "Transformation et enrichissement"
	StepPersistence    = "Persistance des événements"
	StepRerun          = "Réexécution"
)

// Step returns the processing step of a state of the machine, such as "Stage";
// the empty string for a name that is no state.
func Step(state string) string {
	switch state {
	case "Open", "Scan", "ScanFile", "Plan":
		return StepLoading
	case "Protect":
		return StepProtection
	case "Stage", "IndexStaging", "IndexStagingResource":
		return StepStaging
	case "Raw", "Validate", "CrossCheck":
		return StepValidation
	case "Events", "Transform":
		return StepTransformation
	case "Prepare", "IndexTargets", "IndexTarget", "Reconcile", "Publish":
		return StepPersistence
	default:
		return ""
	}
}
