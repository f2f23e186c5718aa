package phase

import "etl-dataloader/internal/postgres"

// Subject says which import, and which resource of it, an input is about, so
// that a failure can be recorded where an administrator looks.
type Subject interface {
	Subject() (imp Import, resource string)
}

// Stater is an input of a function that serves several states of the machine.
type Stater interface {
	// State names the state that sent the input.
	State() string
}

// State implements [Stater].
func (in IndexIn) State() string {
	if in.Kind == string(postgres.Target) {
		return "IndexTargets"
	}
	return "IndexStaging"
}

// Subject implements [Subject].
func (in OpenIn) Subject() (Import, string) { return in.Import, "" }

// Subject implements [Subject].
func (in ScanIn) Subject() (Import, string) { return in.Import, in.File.Resource }

// Subject implements [Subject].
func (in PlanIn) Subject() (Import, string) { return in.Import, "" }

// Subject implements [Subject].
func (in ChunkIn) Subject() (Import, string) { return in.Import, in.Chunk.Resource }

// Subject implements [Subject].
func (in IndexIn) Subject() (Import, string) { return in.Import, in.Resource }

// Subject implements [Subject].
func (in ImportIn) Subject() (Import, string) { return in.Import, "" }
