package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/precheck"
	"etl-dataloader/internal/registry"
)

// contractCommand groups the commands about the contract of the files.
type contractCommand struct {
	Check checkCommand `cmd:"" help:"${check}"`
}

// checkCommand checks files before they are uploaded. It needs no settings.
type checkCommand struct {
	Files      []string `arg:"" name:"fichier" help:"${check_files}" type:"path"`
	Mode       etl.Mode `help:"${check_mode}" enum:"initial,daily" default:"daily"`
	Format     string   `help:"${check_format}" enum:"table,json" default:"table"`
	Limit      *int64   `help:"${check_limit}" placeholder:"N"`
	Descriptor string   `help:"${check_descriptor}" placeholder:"FICHIER" type:"path"`
}

// exitFaulty is the exit status if a file is faulty as a whole.
const exitFaulty = 3

// faultyError ends a check that found a faulty file and has already reported it.
type faultyError struct{}

func (faultyError) Error() string { return "a file is faulty" }

// Run runs the command.
func (k *checkCommand) Run(c *console) error {
	pkg, err := k.contract()
	if err != nil {
		return err
	}
	files, closeAll, err := openFiles(k.Files)
	defer closeAll()
	if err != nil {
		return err
	}
	w := k.writer(c)
	checker, err := precheck.New(pkg, k.Mode, w.row)
	if err != nil {
		return err
	}
	checker.Until(horizon(c.now))
	results, err := checker.Check(files)
	if set, ok := errors.AsType[*precheck.SetError](err); ok {
		return &usageError{set.Reason}
	}
	if err != nil {
		return err
	}
	if err := w.end(results); err != nil {
		return err
	}
	return verdict(results)
}

// verdict returns the error for the exit status; a faulty file is the worst outcome.
func verdict(results []precheck.Result) error {
	var err error
	for _, r := range results {
		switch {
		case r.Fault != "":
			return faultyError{}
		case r.Rejected > 0:
			err = toldError{}
		}
	}
	return err
}

// contract returns the built-in contract unless a descriptor is given.
func (k *checkCommand) contract() (*contract.Package, error) {
	if k.Descriptor == "" {
		return contract.Load()
	}
	text, err := os.ReadFile(k.Descriptor)
	if err != nil {
		return nil, &usageError{textCheckNoDescriptor(k.Descriptor, errors.Unwrap(err))}
	}
	pkg, err := contract.Parse(text)
	if err != nil {
		return nil, &usageError{textCheckNoDescriptor(k.Descriptor, err)}
	}
	return pkg, nil
}

// openFiles opens the files; closeAll must be called in any case.
func openFiles(paths []string) (files []precheck.File, closeAll func(), err error) {
	var opened []*os.File
	closeAll = func() {
		for _, f := range opened {
			_ = f.Close()
		}
	}
	for _, path := range paths {
		f, err := os.Open(path) // #nosec G304 -- the operator names the files
		if err != nil {
			return nil, closeAll, &usageError{textCheckNoFile(path, errors.Unwrap(err))}
		}
		opened = append(opened, f)
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = errors.New(textCheckNotRegular)
		}
		if err != nil {
			return nil, closeAll, &usageError{textCheckNoFile(path, err)}
		}
		files = append(files, precheck.File{Name: filepath.Base(path), Content: f, Size: info.Size()})
	}
	return files, closeAll, nil
}

// checkWriter writes what a check finds.
type checkWriter interface {
	row(e precheck.Error) error
	end(results []precheck.Result) error
}

func (k *checkCommand) writer(c *console) checkWriter {
	limit := int64(tableLimit)
	if k.Format == "json" {
		limit = 0
	}
	if k.Limit != nil {
		limit = max(*k.Limit, 0)
	}
	if k.Format == "json" {
		return &jsonCheck{out: c.out, limit: limit}
	}
	return &tableCheck{out: c.out, limit: limit, rules: map[string]*ruleCount{}}
}

// tableCheck writes tables for people. It keeps the errors that it will show, and counts
// them all.
type tableCheck struct {
	out   io.Writer
	limit int64 // 0: all
	shown []precheck.Error
	all   int64
	rules map[string]*ruleCount
}

func (t *tableCheck) row(e precheck.Error) error {
	t.all++
	if t.limit == 0 || t.all <= t.limit {
		t.shown = append(t.shown, e)
	}
	rule := t.rules[e.Rule]
	if rule == nil {
		rule = &ruleCount{Rule: e.Rule}
		t.rules[e.Rule] = rule
	}
	rule.Errors++
	if !slices.Contains(rule.Resources, e.Resource) {
		rule.Resources = append(rule.Resources, e.Resource)
	}
	return nil
}

func (t *tableCheck) end(results []precheck.Result) error {
	files := table{columns: textCheckColumnsFiles, right: " nnnn"}
	var notes []string
	for _, r := range results {
		files.add(r.File, message.Count(r.Read), message.Count(r.Valid), message.Count(r.Rejected), message.Count(r.Errors), string(fileStatus(r)))
		notes = append(notes, notesOf(r)...)
	}
	_, _ = fmt.Fprintln(t.out, textTitleFiles)
	files.write(t.out)
	if notes != nil {
		title(t.out, textCheckTitleNotes)
		for _, n := range notes {
			_, _ = fmt.Fprintln(t.out, n)
		}
	}
	if t.all == 0 {
		return nil
	}
	t.writeRules()
	if len(t.shown) > 0 {
		rows := table{columns: textCheckColumnsErrors, right: " n"}
		for _, e := range t.shown {
			rows.add(e.File, strconv.FormatInt(e.Line, 10), or(e.Field, textNone), e.Rule, e.Details)
		}
		title(t.out, textTitleErrors)
		rows.write(t.out)
	}
	if shown := int64(len(t.shown)); shown < t.all {
		_, _ = fmt.Fprintln(t.out, textMoreErrors(shown, t.all))
	}
	return nil
}

func (t *tableCheck) writeRules() {
	var rules []*ruleCount
	for _, r := range t.rules {
		rules = append(rules, r)
	}
	slices.SortFunc(rules, func(a, b *ruleCount) int {
		return cmp.Or(cmp.Compare(b.Errors, a.Errors), cmp.Compare(a.Rule, b.Rule))
	})
	rows := table{columns: textCheckColumnsRules, right: " n"}
	for _, r := range rules {
		slices.Sort(r.Resources)
		rows.add(r.Rule, message.Count(r.Errors), strings.Join(r.Resources, ", "))
	}
	title(t.out, textTitleRules)
	rows.write(t.out)
}

// fileStatus returns the status that the file would end up with in an import.
func fileStatus(r precheck.Result) etl.FileStatus {
	switch {
	case r.Fault != "":
		return etl.FileRejected
	case r.Rejected > 0:
		return etl.FileWithRejects
	default:
		return etl.FileValid
	}
}

// notesOf returns the remarks about a file besides its errors.
func notesOf(r precheck.Result) []string {
	var notes []string
	if r.Fault != "" {
		notes = append(notes, registry.CheckFault(r.File, r.Fault))
	}
	if r.Reordered != nil {
		notes = append(notes, textCheckReordered(r.File, r.Reordered))
	}
	if r.Unterminated {
		notes = append(notes, registry.FileNotes(r.File, "", true, 0, 0)...)
	}
	for _, o := range r.Open {
		notes = append(notes, textCheckOpen(r.File, o.Field, o.Parent, o.Records, o.Absent))
	}
	return notes
}

// jsonCheck writes one object: the errors as they are found, one per line, then the
// files.
type jsonCheck struct {
	out   io.Writer
	limit int64 // 0: all
	all   int64
}

func (j *jsonCheck) row(e precheck.Error) error {
	j.all++
	if j.limit > 0 && j.all > j.limit {
		return nil
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	before := ","
	if j.all == 1 {
		before = `{"errors":[`
	}
	_, err = fmt.Fprintf(j.out, "%s\n%s", before, body)
	return err
}

func (j *jsonCheck) end(results []precheck.Result) error {
	body, err := json.Marshal(results)
	if err != nil {
		return err
	}
	before := ""
	if j.all == 0 {
		before = `{"errors":[`
	}
	_, err = fmt.Fprintf(j.out, "%s\n],\"total\":%d,\"files\":%s}\n", before, j.all, body)
	return err
}
