package phase_test

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
)

// expectReason looks at the text of a refusal.
func (c *fieldCase) expectReason(t *testing.T, reason string) {
	t.Helper()
	if word, ok := c.Expect.FileError.(string); ok && !strings.Contains(reason, word) {
		t.Errorf("%s: the reason %q lacks %q", c.Name, reason, word)
	}
	for _, pattern := range c.Message {
		if !regexp.MustCompile(pattern).MatchString(reason) {
			t.Errorf("%s: the reason %q does not match %q", c.Name, reason, pattern)
		}
	}
	c.expectHidden(t, reason)
}

// expectHidden looks for the values that must stand nowhere.
func (c *fieldCase) expectHidden(t *testing.T, text string) {
	t.Helper()
	for i, value := range c.Forbidden {
		if strings.Contains(text, value) {
			t.Errorf("%s: its value %d is shown", c.Name, i)
		}
	}
}

// expectRefusal looks for the file among those that a phase refused.
func (c *fieldCase) expectRefusal(t *testing.T, err error) {
	t.Helper()
	invalid, ok := errors.AsType[*fault.InvalidFile](fault.Lift(err))
	if !ok {
		t.Errorf("%s: %v, want its refusal", c.Name, err)
		return
	}
	n := slices.IndexFunc(invalid.Files, func(f fault.RefusedFile) bool { return f.File == c.Main })
	if n < 0 {
		t.Errorf("%s: %v, want its refusal", c.Name, err)
		return
	}
	c.expectReason(t, invalid.Files[n].Reason)
}

// errorsOf are the errors of a resource, as foreseen writes them.
func (l *line) errorsOf(t *testing.T, r *run, resource string) []string {
	t.Helper()
	found := column(t, l.conn, `SELECT format('%s | %s | %s | %s', line_number, field, rule, error_details) FROM etl.errors
		WHERE import_id = $1 AND resource = $2`, r.imp.ImportID, resource)
	slices.Sort(found)
	if len(found) == 0 {
		return nil
	}
	return found
}

// expectLines compares the lines that were rejected, why, and how many were not.
func (c *fieldCase) expectLines(t *testing.T, l *line, r *run, counted []phase.FileCounts) {
	t.Helper()
	found := column(t, l.conn, `SELECT format('%s %s/%s', line_number, field, rule) FROM etl.errors WHERE import_id = $1 AND resource = $2`, r.imp.ImportID, c.resource)
	var rejected []string
	for _, want := range c.Expect.Reject {
		line := strconv.FormatInt(want.Line, 10)
		if !slices.Contains(rejected, line) {
			rejected = append(rejected, line)
		}
		if !slices.ContainsFunc(found, func(e string) bool { return want.is(e) }) {
			t.Errorf("%s: line %d has not the error %s/%s", c.Name, want.Line, want.Field, want.Rule)
		}
	}
	if got := l.rejected(t, r, c.resource); got != strings.Join(rejected, " ") {
		t.Errorf("%s: rejected lines are %q, want %q", c.Name, got, rejected)
	}
	n := slices.IndexFunc(counted, func(f phase.FileCounts) bool { return f.Resource == c.resource })
	valid, read := int64(len(c.Expect.Accept)), int64(len(c.Expect.Accept)+len(rejected))
	if n < 0 || counted[n].Valid != valid || counted[n].Read != read {
		t.Errorf("%s: counted %+v, want %d of %d valid", c.Name, counted, valid, read)
	}
	staged := column(t, l.conn, `SELECT line_number::text FROM staging.`+c.resource+` s WHERE import_id = $1 AND NOT EXISTS
		(SELECT FROM etl.rejects e WHERE e.import_id = $1 AND e.resource = $2 AND e.line_number = s.line_number) ORDER BY s.line_number`, r.imp.ImportID, c.resource)
	var accepted []string
	for _, line := range c.Expect.Accept {
		accepted = append(accepted, strconv.FormatInt(line, 10))
	}
	if !slices.Equal(staged, accepted) {
		t.Errorf("%s: accepted lines are %q, want %q", c.Name, staged, accepted)
	}
}

// is reports whether an error, written "line field/rule", is the one that is wanted.
func (w fieldReject) is(text string) bool {
	line, which, _ := strings.Cut(text, " ")
	field, rule, _ := strings.Cut(which, "/")
	return line == strconv.FormatInt(w.Line, 10) && (w.Field == "" || w.Field == field) && (w.Rule == "" || w.Rule == rule)
}

// expectNothingShown looks for the forbidden values in what operators read.
func (l *line) expectNothingShown(t *testing.T, cases []*fieldCase) {
	t.Helper()
	shown := l.log.String() + l.metrics.String() + postgrestest.Scan[string](t, l.conn, `SELECT coalesce(string_agg(error_details, ' '), '') FROM etl.errors`)
	for _, c := range cases {
		c.expectHidden(t, shown)
	}
}
