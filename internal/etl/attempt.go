package etl

// Kind is the kind of an attempt, and what a re-execution asks for.
type Kind string

// Kinds of an attempt.
const (
	KindStart    Kind = "start"    // the first execution of an import
	KindResume   Kind = "resume"   // the same execution, redriven at the step that failed
	KindContinue Kind = "continue" // a new execution of the same generation, where a redrive is no longer allowed
	KindRestart  Kind = "restart"  // a new generation, from the beginning
	KindAbandon  Kind = "abandon"  // given up
	KindEnrich   Kind = "enrich"   // a replay: ask the sources again for the records that stayed unenriched
	KindTurn     Kind = "turn"     // no attempt: ask whether a replay may go on
	KindRecord   Kind = "record"   // no attempt: bring the database's copy of the state up to date
)

// Trigger is what caused an attempt.
type Trigger string

// Triggers of an attempt.
const (
	TriggerFile      Trigger = "file"      // a file arrived
	TriggerDeadline  Trigger = "deadline"  // the deadline passed
	TriggerAutomatic Trigger = "automatic" // the system itself: a waiting date's turn came, or a failure may pass
	TriggerConsole   Trigger = "console"   // a person, in the Step Functions console
	TriggerCommand   Trigger = "command"   // a person, by the command or a test event
)
