package phase

// Subject says which import, and which resource of it, an input is about, so
// that a failure can be recorded where an administrator looks.
type Subject interface {
	Subject() (imp Import, resource string)
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
