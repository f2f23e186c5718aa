package queue_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

const (
	daily   = etl.ModeDaily
	initial = etl.ModeInitial
	day6    = "2024-10-06"
	day7    = "2024-10-07"
	day8    = "2024-10-08"
	day9    = "2024-10-09"
)

func at(minute int) time.Time { return time.Date(2024, 10, 9, 15, minute, 0, 0, time.UTC) }

// entry is a date of the queue.
func entry(mode etl.Mode, date string, change ...func(*registry.Entry)) registry.Entry {
	e := registry.Entry{Mode: mode, FileDate: date}
	for _, c := range change {
		c(&e)
	}
	return e
}

func due(e *registry.Entry)      { e.Due = true }
func expected(e *registry.Entry) { e.Due, e.Expected = true, true }
func ready(e *registry.Entry)    { e.Ready = true }
func of(importID string) func(*registry.Entry) {
	return func(e *registry.Entry) { e.ImportID = importID }
}

// complete and lacking are the files of a date, recorded at 15:00.
func complete() queue.Files {
	return queue.Files{There: map[string]registry.Arrival{
		"clients":  {Resource: "clients", Key: "clients.csv", VersionID: "2", RecordedAt: at(0)},
		"produits": {Resource: "produits", Key: "produits.csv", VersionID: "1", RecordedAt: at(0)},
	}}
}

func lacking() queue.Files {
	f := complete()
	delete(f.There, "produits")
	f.Missing = []string{"product_data"}
	return f
}

func none() queue.Files { return queue.Files{Missing: []string{"client_data", "product_data"}} }

// an import of day 8, which began before its files were recorded.
func imp(status etl.Status, fault etl.Fault, change ...func(*registry.Import)) registry.Import {
	i := registry.Import{ImportID: "A", Mode: daily, FileDate: day8, Status: status, Fault: fault, Generation: 1, StartedAt: at(0).Add(-time.Minute)}
	for _, c := range change {
		c(&i)
	}
	return i
}

// refused makes version 1 of clients a file that the import refused.
func refused(i *registry.Import) {
	i.SealedGeneration = 1
	i.Files = []registry.SealedFile{
		{Resource: "clients", Key: "clients.csv", VersionID: "1", FileStatus: registry.FileStatus{Status: etl.FileRejected}},
		{Resource: "produits", Key: "produits.csv", VersionID: "1", FileStatus: registry.FileStatus{Status: etl.FileValid}},
	}
}

// known builds a snapshot without history to load.
type known struct {
	dates     []registry.Entry
	files     map[string]queue.Files // of the daily dates
	first     map[string]queue.Files // of the initial dates
	imp       registry.Import        // import A, once it is read
	read      bool                   // A was read and is not there
	published []string               // modes and dates
	history   bool
	slot      string
}

func (k known) snapshot() queue.Snapshot {
	s := queue.Snapshot{
		Dates: k.dates, NoHistory: !k.history, Latest: day9, Slot: k.slot,
		Imports: map[string]registry.Import{}, Files: map[string]queue.Files{},
	}
	for date, f := range k.files {
		s.Files[entry(daily, date).Order()] = f
	}
	for date, f := range k.first {
		s.Files[entry(initial, date).Order()] = f
	}
	if k.imp.ImportID != "" || k.read {
		s.Imports["A"] = k.imp
	}
	for _, date := range k.published {
		mode := daily
		if len(s.Published) == 0 {
			mode = initial
		}
		s.Published = append(s.Published, registry.Published{Mode: mode, FileDate: date})
	}
	return s
}

// decided is what matters of a verdict.
type decided struct {
	Action  queue.Action
	Reason  queue.Reason
	Date    string // mode and date
	Missing []string
}

func brief(v queue.Verdict) decided {
	d := decided{Action: v.Action, Reason: v.Reason, Missing: v.Missing}
	if v.Date.FileDate != "" {
		d.Date = string(v.Date.Mode) + " " + v.Date.FileDate
	}
	return d
}

func TestDecide(t *testing.T) {
	open := []registry.Entry{entry(daily, day8, of("A")), entry(daily, day9)}
	two := []registry.Entry{entry(daily, day7), entry(daily, day8)}
	for name, test := range map[string]struct {
		known known
		want  decided
	}{
		"nothing waits":            {known{}, decided{}},
		"files are not read":       {known{dates: two}, decided{Action: queue.ReadFiles, Date: "daily " + day7}},
		"complete":                 {known{dates: two, files: map[string]queue.Files{day7: complete()}}, decided{Action: queue.Start, Date: "daily " + day7}},
		"the slot is taken":        {known{dates: two, files: map[string]queue.Files{day7: complete()}, slot: "B"}, decided{Action: queue.Wait, Reason: queue.Taken, Date: "daily " + day7}},
		"missing files":            {known{dates: two, files: map[string]queue.Files{day7: lacking(), day8: complete()}}, decided{Action: queue.Wait, Reason: queue.MissingFiles, Date: "daily " + day7, Missing: lacking().Missing}},
		"missing files of old":     {known{dates: two, files: map[string]queue.Files{day7: lacking(), day8: complete()}, published: []string{day6, day7}}, decided{Action: queue.Start, Date: "daily " + day8}},
		"due with missing files":   {known{dates: []registry.Entry{entry(daily, day7, due)}, files: map[string]queue.Files{day7: lacking()}}, decided{Action: queue.Start, Date: "daily " + day7, Missing: lacking().Missing}},
		"no file any more":         {known{dates: two, files: map[string]queue.Files{day7: none(), day8: complete()}}, decided{Action: queue.Leave, Date: "daily " + day7, Missing: none().Missing}},
		"a file came again":        {known{dates: two, files: map[string]queue.Files{day7: {Missing: none().Missing, Stays: true}}}, decided{Action: queue.Wait, Reason: queue.MissingFiles, Date: "daily " + day7, Missing: none().Missing}},
		"due by files now gone":    {known{dates: []registry.Entry{entry(daily, day7, due)}, files: map[string]queue.Files{day7: none()}}, decided{Action: queue.Leave, Date: "daily " + day7, Missing: none().Missing}},
		"expected without files":   {known{dates: []registry.Entry{entry(daily, day7, expected)}, files: map[string]queue.Files{day7: none()}}, decided{Action: queue.Start, Date: "daily " + day7, Missing: none().Missing}},
		"too far ahead":            {known{dates: []registry.Entry{entry(daily, "2024-10-10", ready)}}, decided{}},
		"too far ahead, but due":   {known{dates: []registry.Entry{entry(daily, "2024-10-10", due)}}, decided{Action: queue.ReadFiles, Date: "daily 2024-10-10"}},
		"history to come":          {known{dates: two, history: true}, decided{Action: queue.Wait, Reason: queue.NoInitial, Date: "daily " + day7}},
		"history is there":         {known{dates: two, history: true, published: []string{day6}}, decided{Action: queue.ReadFiles, Date: "daily " + day7}},
		"history is loaded first":  {known{dates: append([]registry.Entry{entry(initial, day9)}, two...), first: map[string]queue.Files{day9: complete()}}, decided{Action: queue.Start, Date: "initial " + day9}},
		"an incomplete history":    {known{dates: append([]registry.Entry{entry(initial, day9)}, two...), first: map[string]queue.Files{day9: lacking()}}, decided{Action: queue.ReadFiles, Date: "daily " + day7}},
		"a second history":         {known{dates: append([]registry.Entry{entry(initial, day9)}, two...), published: []string{day6}}, decided{Action: queue.ReadFiles, Date: "daily " + day7}},
		"an import is not read":    {known{dates: open}, decided{Action: queue.ReadImport, Date: "daily " + day8}},
		"an import is unknown":     {known{dates: open, read: true}, decided{Action: queue.ReadFiles, Date: "daily " + day9}},
		"an import is finished":    {known{dates: open, imp: imp(etl.StatusSucceeded, "")}, decided{Action: queue.ReadFiles, Date: "daily " + day9}},
		"an import is abandoned":   {known{dates: open, imp: imp(etl.StatusAbandoned, "MissingFiles")}, decided{Action: queue.ReadFiles, Date: "daily " + day9}},
		"an import runs":           {known{dates: open, imp: imp(etl.StatusRunning, "")}, decided{Action: queue.Wait, Reason: queue.Open, Date: "daily " + day8}},
		"an import failed":         {known{dates: open, imp: imp(etl.StatusFailed, "Mismatch")}, decided{Action: queue.Wait, Reason: queue.Open, Date: "daily " + day8}},
		"it missed files, unread":  {known{dates: open, imp: imp(etl.StatusFailed, "MissingFiles")}, decided{Action: queue.ReadFiles, Date: "daily " + day8}},
		"it missed files":          {known{dates: open, imp: imp(etl.StatusFailed, "MissingFiles"), files: map[string]queue.Files{day8: lacking()}}, decided{Action: queue.Wait, Reason: queue.MissingFiles, Date: "daily " + day8, Missing: lacking().Missing}},
		"its files are there":      {known{dates: open, imp: imp(etl.StatusFailed, "MissingFiles"), files: map[string]queue.Files{day8: complete()}}, decided{Action: queue.Resume, Date: "daily " + day8}},
		"they were there before":   {known{dates: open, imp: imp(etl.StatusFailed, "MissingFiles", func(i *registry.Import) { i.StartedAt = at(1) }), files: map[string]queue.Files{day8: complete()}}, decided{Action: queue.Wait, Reason: queue.MissingFiles, Date: "daily " + day8}},
		"it missed, newer is out":  {known{dates: open, published: []string{day6, day9}, imp: imp(etl.StatusFailed, "MissingFiles"), files: map[string]queue.Files{day8: lacking()}}, decided{Action: queue.ReadFiles, Date: "daily " + day9}},
		"refused files, unread":    {known{dates: open, imp: imp(etl.StatusFailed, "InvalidFile", refused)}, decided{Action: queue.ReadFiles, Date: "daily " + day8}},
		"refused files corrected":  {known{dates: open, imp: imp(etl.StatusFailed, "InvalidFile", refused), files: map[string]queue.Files{day8: complete()}}, decided{Action: queue.StartOver, Date: "daily " + day8}},
		"corrected, one went away": {known{dates: open, imp: imp(etl.StatusFailed, "InvalidFile", refused), files: map[string]queue.Files{day8: lacking()}}, decided{Action: queue.Wait, Reason: queue.Open, Date: "daily " + day8, Missing: lacking().Missing}},
		"corrected too often": {known{
			dates: open, imp: imp(etl.StatusFailed, "InvalidFile", refused, func(i *registry.Import) { i.FileRestarts = queue.FileRestarts }),
			files: map[string]queue.Files{day8: complete()},
		}, decided{Action: queue.Wait, Reason: queue.Open, Date: "daily " + day8}},
	} {
		t.Run(name, func(t *testing.T) {
			got := brief(queue.Decide(test.known.snapshot()))
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

// Very many dates that nothing marks are not looked at one by one; those that are
// marked still get their turn.
func TestDecideLooksAtFewOfManyDates(t *testing.T) {
	many := func(mode etl.Mode, others ...registry.Entry) known {
		k := known{files: map[string]queue.Files{}, first: map[string]queue.Files{}, published: []string{day6}}
		if mode == initial {
			k.published = nil
		}
		for n := range 30 {
			date := time.Date(2023, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
			k.dates = append(k.dates, entry(mode, date))
			k.files[date], k.first[date] = lacking(), lacking()
		}
		k.dates = append(k.dates, others...)
		return k
	}
	for name, test := range map[string]struct {
		known known
		want  decided
	}{
		"old ones":                  {many(daily), decided{}},
		"a ready one after them":    {many(daily, entry(daily, day8, ready)), decided{Action: queue.ReadFiles, Date: "daily " + day8}},
		"a due one after them":      {many(daily, entry(daily, day8, due)), decided{Action: queue.ReadFiles, Date: "daily " + day8}},
		"one that nothing marks":    {many(daily, entry(daily, day8), entry(daily, day9, ready)), decided{Action: queue.Wait, Reason: queue.NotLooked, Date: "daily " + day8}},
		"initial ones hold up none": {many(initial, entry(daily, day8, ready)), decided{Action: queue.ReadFiles, Date: "daily " + day8}},
	} {
		t.Run(name, func(t *testing.T) {
			got := brief(queue.Decide(test.known.snapshot()))
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

// Judge does not care what stands before a date.
func TestJudge(t *testing.T) {
	k := known{
		dates: []registry.Entry{entry(daily, day8, of("A")), entry(daily, day9)}, imp: imp(etl.StatusRunning, ""),
		files: map[string]queue.Files{day9: complete()}, published: []string{day6},
	}
	s := k.snapshot()
	if got := queue.Judge(s, s.Dates[1]); got.Action != queue.Start {
		t.Errorf("verdict = %+v", got)
	}
	if got := queue.Judge(s, entry(initial, day9)); got.Action != queue.Pass || got.Reason != queue.TooLate {
		t.Errorf("a second initial date: %+v", got)
	}
	s = s.Without(s.Dates[0])
	if got := queue.Decide(s); got.Action != queue.Start || got.Date.FileDate != day9 {
		t.Errorf("without the open import: %+v", got)
	}
}
