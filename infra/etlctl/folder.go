package main

import (
	"cmp"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/precheck"
)

// localFile is a file of the folder that belongs to the import.
type localFile struct {
	landing.File
	Name string // without folder
	Path string
	Size int64 // bytes
}

// key returns the key of the object that the file becomes.
func (f localFile) key() string { return string(f.Mode) + "/" + f.Name }

// folder is what a folder holds for one import.
type folder struct {
	Date  string // YYYY-MM-DD
	Files []localFile
	Left  []string // one sentence for each file that stays where it is
}

// readFolder finds the files of an import by their names. date selects one of several
// dates; if it is empty there must be only one. readFolder fails with *usageError if
// there is nothing to upload or if the choice is ambiguous.
func readFolder(dir string, mode etl.Mode, date string, names *landing.Names) (folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return folder{}, &usageError{textNoFolder(dir, errors.Unwrap(err))}
	}
	var found folder
	byDate := map[string][]localFile{}
	for _, e := range entries {
		file, err := names.Parse(string(mode) + "/" + e.Name())
		info, statErr := os.Stat(filepath.Join(dir, e.Name()))
		switch {
		case err != nil:
			found.Left = append(found.Left, textIgnored(e.Name(), err.Error()))
		case statErr != nil:
			return folder{}, &usageError{textNoFolder(dir, statErr)}
		case info.Mode().IsRegular():
			byDate[file.Date] = append(byDate[file.Date], localFile{
				File: file, Name: e.Name(), Path: filepath.Join(dir, e.Name()), Size: info.Size(),
			})
		}
	}
	dates := slices.Sorted(maps.Keys(byDate))
	if found.Date = date; date == "" && len(dates) > 1 {
		return folder{}, &usageError{textSeveralDates(dates)}
	} else if date == "" && len(dates) == 1 {
		found.Date = dates[0]
	}
	found.Files = byDate[found.Date]
	if len(found.Files) == 0 {
		return folder{}, &usageError{textNoFiles(dir)}
	}
	slices.SortFunc(found.Files, func(a, b localFile) int { return cmp.Compare(a.Name, b.Name) })
	return found, found.unambiguous()
}

// maxFutureDays is how many days in the future the date of a file may be: the default of
// the stack's MaxFutureDays.
const maxFutureDays = 1

// horizon returns the bounds of the dates of files, by this machine's clock.
func horizon(now func() time.Time) landing.Horizon {
	return landing.Horizon{Now: now, Zone: time.Local, Days: maxFutureDays}
}

// unambiguous fails if two files are for the same resource: which one the system used
// would depend on which upload ended last.
func (f folder) unambiguous() error {
	first := map[string]string{}
	for _, file := range f.Files {
		if other, twice := first[file.Resource]; twice {
			return &usageError{precheck.TwoFiles(other, file.Name)}
		}
		first[file.Resource] = file.Name
	}
	return nil
}

// bytes returns the total size of the files.
func (f folder) bytes() (total int64) {
	for _, file := range f.Files {
		total += file.Size
	}
	return total
}
