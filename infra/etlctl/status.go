package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/report"
)

// statusCommand shows one import, or an overview.
type statusCommand struct {
	ImportID string        `arg:"" optional:"" name:"import_id" help:"${import_id}"`
	Follow   bool          `help:"${status_follow}"`
	JSON     bool          `help:"${status_json}" name:"json"`
	Last     int           `help:"${status_last}" default:"10"`
	Timeout  time.Duration `help:"${timeout}" default:"60m"`
}

// Run runs the command.
func (s *statusCommand) Run(ctx context.Context, c *console) error {
	ctx, cancel := within(ctx, s.Timeout)
	defer cancel()
	services, err := c.open(ctx, "REGISTRY_TABLE", "WORK_BUCKET")
	if err != nil {
		return err
	}
	if s.ImportID == "" {
		found, err := overview(ctx, services.waiting(), services.registry, s.Last)
		if err != nil {
			return stopped(ctx, err, "", s.Timeout)
		}
		if s.JSON {
			return writeJSON(c, found)
		}
		found.write(c)
		return nil
	}
	show := newDisplay(c)
	if s.JSON {
		show = silent{}
	}
	f := follower{imports: services.registry, show: show, now: c.now, pause: c.pause}
	if s.Follow && !s.JSON {
		if _, err := services.registry.Import(ctx, s.ImportID); err != nil {
			return c.unknown(err, s.ImportID)
		}
		return c.followed(ctx, f, s.ImportID, s.Timeout, services.work, nil)
	}
	var status registry.Status
	if s.Follow {
		status, err = f.toEnd(ctx, s.ImportID)
	} else {
		status, err = services.registry.Status(ctx, s.ImportID)
	}
	if err != nil {
		return stopped(ctx, c.unknown(err, s.ImportID), s.ImportID, s.Timeout)
	}
	if s.JSON {
		if err := writeJSON(c, report.Build(status, c.now())); err != nil {
			return err
		}
		if s.Follow && status.Import.Status != etl.StatusSucceeded {
			return toldError{}
		}
		return nil
	}
	c.showImport(status, services.work)
	return nil
}

// unknown returns the error that there is no such import, or err if it is another error.
func (c *console) unknown(err error, importID string) error {
	if !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	_, _ = fmt.Fprintln(c.err, message.Refused(importID, message.RefusedUnknown)+".")
	return toldError{}
}

// showImport writes all that is known of an import.
func (c *console) showImport(s registry.Status, work string) {
	imp := s.Import
	c.say(textImport(imp.ImportID, imp.Mode, imp.FileDate, imp.Status))
	showOutcome(c.out, s, work)
	title(c.out, textTitleFiles)
	showFiles(c.out, s)
	showStates(c.out, s)
	showSources(c.out, s)
	showReplays(c.out, s)
	showAttempts(c.out, s)
}

// listed is one import of an overview. Members may be added, never renamed.
type listed struct {
	ImportID  string     `json:"import_id"`
	Mode      etl.Mode   `json:"mode"`
	FileDate  string     `json:"file_date"`
	Status    etl.Status `json:"status"`
	Step      etl.Step   `json:"processing_step,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`
}

// waitingDate is a date without an import. Members may be added, never renamed.
type waitingDate struct {
	Mode     etl.Mode   `json:"mode"`
	FileDate string     `json:"file_date"`
	Status   etl.Status `json:"status"`
	Reason   string     `json:"reason"`
	Missing  []string   `json:"missing_files"`
	Since    time.Time  `json:"since"`
}

// found is the content of an overview: open imports and the last finished and abandoned
// ones, oldest first, and the waiting dates, in the order of their turn.
type found struct {
	Imports []listed      `json:"imports"`
	Waiting []waitingDate `json:"waiting"`
}

// abandoned reads which dates were abandoned; *registry.Registry implements it. Reads
// are strongly consistent.
type abandoned interface {
	Abandoned(ctx context.Context) ([]registry.Abandoned, error)
}

// overview finds all open imports, the last finished ones, and equally many abandoned
// ones.
func overview(ctx context.Context, w waiting, given abandoned, last int) (found, error) {
	result := found{Imports: []listed{}, Waiting: []waitingDate{}}
	published, err := w.dates.Published(ctx)
	if err != nil {
		return result, err
	}
	slices.SortStableFunc(published, func(a, b registry.Published) int { return a.At.Compare(b.At) })
	ids := map[string]bool{}
	for _, p := range published[max(0, len(published)-max(last, 0)):] {
		ids[p.ImportID] = true
	}
	gone, err := given.Abandoned(ctx)
	if err != nil {
		return result, err
	}
	slices.SortStableFunc(gone, func(a, b registry.Abandoned) int { return a.At.Compare(b.At) })
	for _, a := range gone[max(0, len(gone)-max(last, 0)):] {
		ids[a.ImportID] = true
	}
	queue, err := w.dates.Queue(ctx)
	if err != nil {
		return result, err
	}
	for _, e := range queue {
		if e.ImportID != "" {
			ids[e.ImportID] = true
			continue
		}
		why, err := w.why(ctx, e.Mode, e.FileDate)
		if err != nil {
			return result, err
		}
		result.Waiting = append(result.Waiting, waitingDate{
			Mode: e.Mode, FileDate: e.FileDate, Status: etl.StatusWaiting, Reason: why.Reason,
			Missing: append([]string{}, why.Missing...), Since: e.Since,
		})
	}
	for id := range ids {
		imp, err := w.imports.Import(ctx, id)
		if err != nil {
			return result, err
		}
		result.Imports = append(result.Imports, listed{
			ImportID: imp.ImportID, Mode: imp.Mode, FileDate: imp.FileDate, Status: imp.Status,
			Step: imp.Step, Reason: imp.Reason, CreatedAt: imp.CreatedAt, EndedAt: imp.EndedAt,
		})
	}
	slices.SortFunc(result.Imports, func(a, b listed) int { return cmp.Compare(a.ImportID, b.ImportID) })
	return result, nil
}

// write writes the overview as tables.
func (f found) write(c *console) {
	c.say(textTitleImports)
	if len(f.Imports) == 0 {
		c.say(textNoImports)
	} else {
		t := table{columns: textColumnsImports, right: "      n"}
		for _, i := range f.Imports {
			took := textNone
			if !i.EndedAt.IsZero() {
				took = message.Seconds(i.EndedAt.Sub(i.CreatedAt).Seconds())
			}
			t.add(i.ImportID, string(i.Mode), i.FileDate, string(i.Status), or(string(i.Step), textNone), instant(i.CreatedAt), took)
		}
		t.write(c.out)
	}
	title(c.out, textTitleWaiting)
	if len(f.Waiting) == 0 {
		c.say(textNoWaiting)
		return
	}
	t := table{columns: textColumnsWaiting}
	for _, w := range f.Waiting {
		t.add(string(w.Mode), w.FileDate, string(w.Status), w.Reason)
	}
	t.write(c.out)
}

// writeJSON writes a value as indented JSON.
func writeJSON(c *console, value any) error {
	encoder := json.NewEncoder(c.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// silent is the display of a command whose output is read by programs.
type silent struct{}

func (silent) note(string)                    {}
func (silent) uploading(int64, int64, string) {}
func (silent) progress(registry.Status)       {}
func (silent) stop()                          {}
