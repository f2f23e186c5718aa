package phase

import (
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
)

// Subject is what an input is about. With it a failure is logged and recorded where an
// administrator looks for it.
type Subject struct {
	Import   Import
	Resource string // empty: the whole import
	File     string // empty: not about a single file
	Chunk    int
}

// Input is the input of a phase.
type Input interface {
	// Subject returns what the input is about.
	Subject() Subject
}

// Stater is an input of a function that serves several states of the machine.
type Stater interface {
	// State returns the state that sent the input.
	State() etl.State
}

// State implements [Stater].
func (in IndexIn) State() etl.State {
	if in.Kind == string(postgres.Target) {
		return etl.StateIndexTargets
	}
	return etl.StateIndexStaging
}

// Subject implements [Input].
func (in OpenIn) Subject() Subject { return Subject{Import: in.Import} }

// Subject implements [Input].
func (in ScanIn) Subject() Subject {
	return Subject{Import: in.Import, Resource: in.File.Resource, File: in.File.File}
}

// Subject implements [Input].
func (in PlanIn) Subject() Subject { return Subject{Import: in.Import} }

// Subject implements [Input].
func (in ChunkIn) Subject() Subject {
	return Subject{Import: in.Import, Resource: in.Chunk.Resource, File: in.Chunk.File.File, Chunk: in.Chunk.Range.Index}
}

// Subject implements [Input].
func (in IndexIn) Subject() Subject { return Subject{Import: in.Import, Resource: in.Resource} }

// Subject implements [Input].
func (in ImportIn) Subject() Subject { return Subject{Import: in.Import} }

// Subject implements [Input].
func (in ReplayIn) Subject() Subject { return Subject{Import: in.Import} }
