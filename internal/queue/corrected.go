package queue

import (
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// FileRestarts is how often an import is restarted by itself because its refused
// files were corrected: enough for a sender who tries a few times, too few for one
// who sends the same fault in an endless loop.
const FileRestarts = 5

// restartable reports whether corrected files may start an import over.
func restartable(imp registry.Import) bool {
	return imp.Status == etl.StatusFailed && imp.Fault == etl.FaultInvalidFile && imp.FileRestarts < FileRestarts
}

// Corrected reports whether an import failed because of refused files, all of
// which have a newer version by now, and may start over by itself.
func Corrected(imp registry.Import, files Files) bool {
	return restartable(imp) && len(files.Missing) == 0 && imp.Corrected(files.There)
}
