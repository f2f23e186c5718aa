// Package etl is the vocabulary of the product: modes, states, steps, statuses,
// attempts and their triggers. Each word is declared here once and typed; Go code,
// SQL statements, the report and the command line all use it.
//
// The values are stored in DynamoDB, PostgreSQL and S3, sent between functions and
// shown to operators, so they never change. Those that operators read as they are
// stored are in French.
//
// The package imports nothing of the project.
package etl

// Mode says which files an import loads. The line of states is the same for both.
type Mode string

// Modes of an import.
const (
	ModeInitial Mode = "initial" // all history, once
	ModeDaily   Mode = "daily"   // the files of one day
)
