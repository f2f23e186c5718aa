package main

import (
	"strings"

	"etl-dataloader/internal/message"
)

// textRefused reports that a re-execution was refused, and why.
func textRefused(text string) string {
	return "Demande refusée. " + strings.TrimSuffix(message.Text(text), ".") + "."
}

// textRerunFailed reports a fault of the function that re-executes imports.
func textRerunFailed(name, text string) string {
	return "La demande n'a pas abouti (" + message.Text(name) + ") : " + strings.TrimSuffix(message.Text(text), ".") + ". Elle peut être répétée."
}
