package main

import "testing"

func TestWordsArePairs(t *testing.T) {
	page := textHelpWords("Usage: etlctl <command> [flags]\n\nFlags:\n")
	if page != "Utilisation : etlctl <commande> [options]\n\nOptions :\n" {
		t.Errorf("help page: %q", page)
	}
	if got := textBadArguments("unknown flag --foo"); got != "Commande incomprise : option inconnue --foo." {
		t.Errorf("arguments: %q", got)
	}
}
