package message_test

import (
	"strings"
	"testing"

	"etl-dataloader/internal/message"
)

func TestShare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part, whole int64
		want        string
	}{
		{0, 0, "0 %"},
		{0, 10, "0 %"},
		{1, 1_000_001, "< 0,1 %"},
		{1, 1000, "0,1 %"},
		{312, 1000, "31,2 %"},
		{1, 3, "33,3 %"},
		{999_999, 1_000_000, "99,9 %"},
		{10, 10, "100 %"},
		{20, 100, "20 %"},
		{300_000, 1_000_000, "30 %"},
	} {
		if got := strings.ReplaceAll(message.Share(c.part, c.whole), "\u00a0", " "); got != c.want {
			t.Errorf("%d of %d is %q, want %q", c.part, c.whole, got, c.want)
		}
	}
}

func TestOverBudget(t *testing.T) {
	t.Parallel()
	for limits, want := range map[[3]int64]string{
		{-1, 50_000, 0}:    "f.csv, 312 rejetés sur 1 000 lus (31,2 % ; limite : 5 %)",
		{-1, 50_000, 2000}: "f.csv, 312 rejetés sur 1 000 lus (31,2 % ; limite : 5 % au-delà de 2 000 rejets)",
		{300, -1, 0}:       "f.csv, 312 rejetés sur 1 000 lus (31,2 % ; limite : 300)",
		{1000, 125, 0}:     "f.csv, 312 rejetés sur 1 000 lus (31,2 % ; limite : 1 000 et 0,0125 %)",
	} {
		got := strings.ReplaceAll(message.OverBudget("f.csv", 312, 1000, limits[0], limits[1], limits[2]), "\u00a0", " ")
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	text := message.BudgetExceeded("IMPORT_1", []string{"A", "B"})
	for _, part := range []string{"IMPORT_1", "A ; B", "Rien n'a été publié"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	if todo := message.WhatToDo("IMPORT_1", "BudgetExceeded", "redrive"); !strings.Contains(todo, "make redrive IMPORT_ID=IMPORT_1") || !strings.Contains(todo, "make restart IMPORT_ID=IMPORT_1") || !strings.Contains(todo, "RejectBudget") {
		t.Error(todo)
	}
}

func TestTooManyRecords(t *testing.T) {
	t.Parallel()
	text := message.TooManyRecords("IMPORT_1", 2_000_001, 2_000_000)
	for _, part := range []string{"IMPORT_1", message.Count(2_000_001), message.Count(2_000_000), "MaxDailyRecords", "Rien n'a été chargé"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	todo := message.WhatToDo("IMPORT_1", "TooManyRecords", "restart")
	for _, part := range []string{"make restart IMPORT_ID=IMPORT_1", "make redrive IMPORT_ID=IMPORT_1", "MaxDailyRecords", "dates suivantes"} {
		if !strings.Contains(todo, part) {
			t.Errorf("%q does not say %q", todo, part)
		}
	}
}
