package etl

// Status is the status of an import (requirement R0.3).
type Status string

// Statuses of an import.
const (
	StatusWaiting   Status = "en attente" // for its turn; it has no import_id yet
	StatusRunning   Status = "en cours"
	StatusSucceeded Status = "réussi"
	StatusFailed    Status = "échoué"
	StatusAbandoned Status = "abandonné"
)

// FileStatus is the status of a file at the end of an import (requirement R1.7).
type FileStatus string

// Statuses of a file.
const (
	FileValid       FileStatus = "validé"
	FileWithRejects FileStatus = "avec rejets"
	FileRejected    FileStatus = "rejeté" // as a whole
)
