package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"etl-dataloader/internal/message"
)

//go:embed report.html.tmpl
var page string

// WriteHTML writes the page for readers: plain HTML with its style inside, no
// script, readable by a screen reader and on paper.
func (r Report) WriteHTML(w io.Writer) error {
	named := texts()
	t, err := template.New("report").Funcs(template.FuncMap{
		"seconds": seconds,
		"count":   count,
		"share":   message.Share,
		"instant": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"known":   func(t time.Time) bool { return !t.IsZero() },
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

// texts are the page's texts, by the name under which the template asks.
func texts() map[string]string {
	return map[string]string{
		"title": message.ReportTitle, "summary": message.ReportSummary, "files": message.ReportFiles,
		"steps": message.ReportSteps, "attempts": message.ReportAttempts, "filesNote": message.ReportFilesNote,
		"stepsNote": message.ReportStepsNote, "noFiles": message.ReportNoFiles, "whatToDo": message.ReportWhatToDo,
		"balanced": message.ReportBalanced, "unbalanced": message.ReportUnbalanced, "unknown": message.ReportUnknown,
		"errorsWhere": message.ReportErrorsWhere, "generated": message.ReportGeneratedFor,
	}
}

// class gives a status its color; the word always stands beside it.
func class(status string) string {
	switch status {
	case message.StatusSucceeded, message.FileValid:
		return "good"
	case message.StatusFailed, message.FileRejected:
		return "bad"
	case message.StatusRunning, message.FileWithRejects:
		return "busy"
	default:
		return ""
	}
}

// seconds shows a duration as people read it: 0,4 s; 12 s; 3 min 05 s; 2 h 07 min.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second)).Round(time.Second)
	switch {
	case s < 10:
		return strings.Replace(fmt.Sprintf("%.1f s", s), ".", ",", 1)
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

// count shows a number with a narrow no-break space every three digits.
func count(n int64) string {
	digits := fmt.Sprint(n)
	var grouped strings.Builder
	for i, digit := range digits {
		if i > 0 && digits[i-1] != '-' && (len(digits)-i)%3 == 0 {
			grouped.WriteRune('\u202f')
		}
		grouped.WriteRune(digit)
	}
	return grouped.String()
}
