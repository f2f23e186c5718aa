package queue

import (
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// FileRestarts is how often an import restarts automatically because its refused
// files were corrected: enough for a sender who tries a few times, too few for one
// who sends the same fault in an endless loop.
const FileRestarts = 5

// restartable reports whether corrected files may restart an import.
func restartable(imp registry.Import) bool {
	return imp.Status == etl.StatusFailed && imp.Fault == etl.FaultInvalidFile && imp.FileRestarts < FileRestarts
}

// Corrected reports whether an import failed because of refused files, newer
// versions of all of them have arrived, and it may restart automatically.
func Corrected(imp registry.Import, files Files) bool {
	return restartable(imp) && len(files.Missing) == 0 && imp.Corrected(files.There)
}
