package alert_test

import (
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/etl"
)

const importID = "IMPORT_20241009_150000_001"

// TestTexts: Amazon SNS takes subjects of fewer than 100 ASCII characters, and
// an alert says which import it is about.
func TestTexts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	for name, a := range map[string]alert.Alert{
		"bad name":      alert.BadNames([]alert.RefusedName{{Key: long, Reason: "La date n'existe pas au calendrier."}}, 1),
		"deadline":      alert.Deadline("2024-10-08", []string{"client_data", "sales_data"}, importID),
		"failed":        alert.Failed(importID, etl.StepValidation, long, long, long, long),
		"succeeded":     alert.Succeeded(importID, "daily", "2024-10-08", long, 12),
		"incoherence":   alert.Incoherence(importID, []string{long, long}),
		"silent":        alert.SourceSilent(importID, long, long, 2*time.Hour, 4*time.Hour),
		"not enriched":  alert.NotEnriched(importID, long, 1234, map[string]int64{long: 1200, "timeout": 34}),
		"replayed":      alert.Replayed(importID, long, 1234, 5),
		"replay failed": alert.ReplayFailed(importID, long, long, 1234, 5),
	} {
		if len(a.Subject) == 0 || len(a.Subject) >= 100 {
			t.Errorf("%s: the subject has %d characters", name, len(a.Subject))
		}
		for _, r := range a.Subject {
			if r < ' ' || r > '~' {
				t.Errorf("%s: the subject has %q", name, r)
			}
		}
		if a.Text == "" || !utf8.ValidString(a.Text) {
			t.Errorf("%s: the text is %q", name, a.Text)
		}
		if name != "bad name" && !strings.Contains(a.Text, importID) {
			t.Errorf("%s: the text does not name the import", name)
		}
	}
}

// TestEnrichmentTexts: the alerts about a source have the figures, the cause in words,
// and what to do.
func TestEnrichmentTexts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		parts []string
	}{
		"silent": {
			alert.SourceSilent(importID, "clients", "timeout", 2*time.Hour, 4*time.Hour).Text,
			[]string{importID, "clients", "depuis : 2 h 00 min", "4 h 00 min au total", "pas de réponse à temps (timeout)", "sans reprise", "À faire"},
		},
		"not enriched": {
			alert.NotEnriched(importID, "clients", 1_234, map[string]int64{"timeout": 34, "record_error": 1_200}).Text,
			[]string{importID, "clients", "1\u00a0234", "1\u00a0200 × erreur sur l'enregistrement (record_error), 34 × pas de réponse à temps (timeout)", "etl.errors", "À faire"},
		},
		"replayed": {
			alert.Replayed(importID, "", 1_234, 56).Text,
			[]string{importID, "toutes", "Complétés par ce rejeu : 1\u00a0234", "Encore non enrichis : 56", "À faire", "make enrich IMPORT_ID=" + importID},
		},
		"replay failed": {
			alert.ReplayFailed(importID, "clients", "la raison", 12, 3).Text,
			[]string{importID, "clients", "la raison", "Complétés par ce rejeu : 12", "Encore non enrichis : 3", "make enrich IMPORT_ID=" + importID},
		},
		"succeeded": {
			alert.Succeeded(importID, "daily", "2024-10-08", "s3://x", 1_234).Text, []string{"Non enrichis : 1\u00a0234"},
		},
	} {
		for _, part := range c.parts {
			if !strings.Contains(c.text, part) {
				t.Errorf("%s lacks %q:\n%s", name, part, c.text)
			}
		}
	}
	if text := alert.Replayed(importID, "", 7, 0).Text; strings.Contains(text, "À faire") {
		t.Errorf("none remains, and yet:\n%s", text)
	}
	if text := alert.Succeeded(importID, "daily", "2024-10-08", "s3://x", 0).Text; strings.Contains(text, "enrichi") {
		t.Errorf("all are enriched, and yet:\n%s", text)
	}
}

// TestBounded: whatever comes from outside, Amazon SNS accepts the alert, and neither a
// terminal nor a mail program acts upon a character of it.
func TestBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.String().Draw(t, "part") + rapid.SampledFrom([]string{"", "\x1b]0;pwned\a", "a\r\nb", "\u202egpj.exe", "\x9b", "a\xc3"}).Draw(t, "hostile")
		text := strings.Repeat(part, rapid.IntRange(0, 400).Draw(t, "times"))
		a := alert.Alert{Subject: text, Text: strings.Repeat(text+"\n", 50)}.Bounded()
		if len(a.Subject) > alert.SubjectBytes || strings.ContainsFunc(a.Subject, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("the subject is %q", a.Subject)
		}
		if len(a.Text) > alert.AlertBytes || !utf8.ValidString(a.Text) {
			t.Fatalf("a text of %d bytes", len(a.Text))
		}
		if strings.ContainsFunc(a.Text, func(r rune) bool { return r != '\n' && !strconv.IsGraphic(r) }) {
			t.Fatalf("the text acts: %q", a.Text)
		}
	})
}
