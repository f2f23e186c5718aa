package etl

import "fmt"

// State is a state of the machine. Logs, faults, progress and the ledger name it.
type State string

// States of the machine, in its order.
const (
	StateOpen                 State = "Open"
	StateScan                 State = "Scan"     // the Map over the files
	StateScanFile             State = "ScanFile" // one file
	StatePlan                 State = "Plan"
	StateRaw                  State = "Raw" // the Map over the chunks: Protect, Stage, Validate
	StateProtect              State = "Protect"
	StateStage                State = "Stage"
	StateValidate             State = "Validate"
	StateIndexStaging         State = "IndexStaging" // the Map over the resources
	StateIndexStagingResource State = "IndexStagingResource"
	StateCrossCheck           State = "CrossCheck"
	StateEnrich               State = "Enrich"       // the Map over the enrichment sources
	StateEnrichSource         State = "EnrichSource" // the Map over the chunks that a source enriches
	StateEnrichChunk          State = "EnrichChunk"
	StateEnrichNext           State = "EnrichNext" // the Choice: done, wait, or go on at once?
	StateEnrichWait           State = "EnrichWait" // the Wait while the source is down
	StateEnrichDone           State = "EnrichDone"
	StateEvents               State = "Events" // the Map over the chunks: Transform, Prepare
	StateTransform            State = "Transform"
	StatePrepare              State = "Prepare"
	StateIndexTargets         State = "IndexTargets" // the Map over the resources
	StateIndexTarget          State = "IndexTarget"
	StateReconcile            State = "Reconcile"
	StatePublish              State = "Publish"
)

// States of the machine that replays the enrichment of a published import, in its order.
const (
	StateReplayTurn     State = "ReplayTurn"     // may it go on, or does a date wait?
	StateReplayTurnNext State = "ReplayTurnNext" // the Choice: go on, or wait?
	StateReplayTurnWait State = "ReplayTurnWait"
	StateReplay         State = "Replay"
	StateReplayNext     State = "ReplayNext" // the Choice: done, wait for a source, or go on?
	StateReplayWait     State = "ReplayWait"
	StateReplayDone     State = "ReplayDone"
)

// Parts of states that the ledger keeps apart.
const (
	StateValidateLog   State = "ValidateLog"   // of Validate: the rejects' lines of the central log
	StateCrossCheckLog State = "CrossCheckLog" // of CrossCheck: the same
	StateCoherence     State = "Coherence"     // of Publish: what relations between published tables do not hold
	StateNotEnriched   State = "NotEnriched"   // of Publish: what was told of a source, which stands in the place of the resource
)

// Part is the name under which the ledger has a part of a unit of s, from 0.
func (s State) Part(n int) State { return State(fmt.Sprintf("%s%06d", s.Parts(), n)) }

// Parts is what the names of all parts of s begin with.
func (s State) Parts() string { return string(s) + "/" }

// Step is a processing step as logs, errors and reports show it. Several states
// belong to one step.
type Step string

// Processing steps.
const (
	StepLoading        Step = "Chargement des fichiers"
	StepProtection     Step = "Tokenisation et encryptage"
	StepStaging        Step = "Persistance des données brutes"
	StepValidation     Step = "Validation des données"
	StepTransformation Step = "Transformation et enrichissement"
	StepPersistence    Step = "Persistance des événements"
	StepRerun          Step = "Réexécution" // of no state: resume, restart, abandon
)

// Step returns the processing step of a state, or the empty string if there is no
// such state.
func (s State) Step() Step {
	switch s {
	case StateOpen, StateScan, StateScanFile, StatePlan:
		return StepLoading
	case StateProtect:
		return StepProtection
	case StateStage, StateIndexStaging, StateIndexStagingResource:
		return StepStaging
	case StateRaw, StateValidate, StateCrossCheck:
		return StepValidation
	case StateEnrich, StateEnrichSource, StateEnrichChunk, StateEnrichNext, StateEnrichWait, StateEnrichDone, StateEvents, StateTransform,
		StateReplayTurn, StateReplayTurnNext, StateReplayTurnWait, StateReplay, StateReplayNext, StateReplayWait, StateReplayDone:
		return StepTransformation
	case StatePrepare, StateIndexTargets, StateIndexTarget, StateReconcile, StatePublish:
		return StepPersistence
	default:
		return ""
	}
}
