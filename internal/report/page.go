package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

//go:embed report.html.tmpl
var page string

// WriteHTML writes the page for people: plain HTML with inline style and no script,
// readable with a screen reader and on paper.
func (r Report) WriteHTML(w io.Writer) error {
	named := texts()
	t, err := template.New("report").Funcs(template.FuncMap{
		"seconds": message.Seconds,
		"count":   message.Count,
		"share":   message.Share,
		"instant": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"known":   func(t time.Time) bool { return !t.IsZero() },
		"causes":  message.Causes,
		"kind":    message.KindName,
		"trigger": message.TriggerName,
		"mode":    message.ModeName,
		"text":    func(name string) string { return named[name] },
		"class":   class,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("report: parse the page: %w", err)
	}
	if err := t.Execute(w, r); err != nil {
		return fmt.Errorf("report: write the page of %s: %w", r.ImportID, err)
	}
	return nil
}

// texts returns the page's texts by the names that the template uses.
func texts() map[string]string {
	return map[string]string{
		"title": textTitle, "summary": textSummary, "files": textFiles,
		"steps": textSteps, "attempts": textAttempts, "filesNote": textFilesNote,
		"stepsNote": textStepsNote, "noFiles": NoFiles, "whatToDo": textWhatToDo,
		"balanced": textBalanced, "unbalanced": textUnbalanced, "unknown": textUnknown,
		"errorsWhere": textErrorsWhere, "generated": textGeneratedFor,
		"replays": textReplays, "replaysNote": textReplaysNote,
		"sources": textSources, "sourcesNote": textSourcesNote, "notEnriched": textNotEnriched, "notEnrichedNote": textNotEnrichedNote,
	}
}

// class returns the CSS class that colors a status. The page always shows the word,
// too.
func class(status any) string {
	switch status {
	case etl.StatusSucceeded, etl.FileValid:
		return "good"
	case etl.StatusFailed, etl.FileRejected:
		return "bad"
	case etl.StatusRunning, etl.FileWithRejects:
		return "busy"
	default:
		return ""
	}
}
