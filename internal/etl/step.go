package etl

// Step is a processing step as logs, errors and reports show it. Several states
// may belong to one step.
type Step string

// Processing steps.
const (
	StepLoading        Step = "Chargement des fichiers"
	StepProtection     Step = "Tokenisation et encryptage"
	StepStaging        Step = "Persistance des données brutes"
	StepValidation     Step = "Validation des données"
	StepTransformation Step = "Transformation et enrichissement"
	StepPersistence    Step = "Persistance des événements"
	StepRerun          Step = "Réexécution"
)
