//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
)

// The files in which the tests of one stack leave word to each other, beside the
// files of their sets. A test may run in a process of its own.
const (
	publishedFile = "published.json"
	searchFile    = "search.json"
	alertsFile    = "alerts.json"
)

// journal is what is published: by it a test knows what the tables must hold.
type journal struct {
	Sets    []set    // by file date
	Imports []string // their import_ids, in the order of publication
	Events  int
	Model   model
}

// publish adds an import that succeeded.
func (j *journal) publish(imp stack.Import, of set, want verdict, pkg *contract.Package) {
	j.Model.publish(pkg, imp, of, want)
	for _, values := range want.values {
		j.Events += len(values)
	}
	j.Imports = append(j.Imports, imp.ImportID)
	j.Sets = append(j.Sets, of)
	slices.SortFunc(j.Sets, func(a, b set) int { return strings.Compare(a.Date, b.Date) })
}

// expected are the counts that the published tables and events must have.
func (j *journal) expected() counts {
	return counts{int64(len(j.Model["clients"])), int64(len(j.Model["ventes"])), int64(len(j.Model["produits"])), int64(j.Events)}
}

// recall reads what an earlier test noted; v stays as it is if there is nothing.
func (s *system) recall(t *testing.T, name string, v any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(content, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// note leaves something to later tests.
func (s *system) note(t *testing.T, name string, v any) {
	t.Helper()
	write(t, filepath.Join(s.dir, name), marshal(t, v))
}

// forget removes what tests of an earlier stack left.
func (s *system) forget(t *testing.T) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(s.dir), os.MkdirAll(s.dir, 0o750)); err != nil {
		t.Fatal(err)
	}
}

// nextDate returns a file date that no scenario has taken, and takes it. It leaves
// a day between two dates free, for a day that comes late.
func (s *system) nextDate(t *testing.T) string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(s.dir, "daily-*"))
	if err != nil {
		t.Fatal(err)
	}
	date := ""
	for _, folder := range folders {
		date = max(date, strings.TrimPrefix(filepath.Base(folder), "daily-"))
	}
	if date = daysAfter(t, date, 2); date < firstDay {
		date = firstDay
	}
	if err := os.Mkdir(s.folder("daily", date), 0o750); err != nil {
		t.Fatal(err)
	}
	return date
}

// folder is where the files of a date are.
func (s *system) folder(mode, date string) string { return filepath.Join(s.dir, mode+"-"+date) }

// daysAfter counts days from a date; from none, the first day.
func daysAfter(t *testing.T, date string, days int) string {
	t.Helper()
	if date == "" {
		return firstDay
	}
	from, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	return from.AddDate(0, 0, days).Format(time.DateOnly)
}
