package main

import (
	"strings"

	"etl-dataloader/internal/message"
)

// textRefused reports that a re-execution was refused, and why.
func textRefused(text string) string {
	return "Demande refusée. " + strings.TrimSuffix(message.Text(text), ".") + "."
}

// textForbidden says that API Gateway let a request not through.
const textForbidden = "la signature n'est pas reconnue, ou cette identité n'a pas le droit execute-api:Invoke sur cette API"

// textSlow says that a request is still being carried out.
const textSlow = "La demande est prise en charge ; elle dure plus de 30 secondes."

// textNoCredentials says that there is nothing to sign a request with.
func textNoCredentials(err error) string {
	return "Aucune identité AWS pour signer la demande : " + message.Text(err.Error())
}

// textRerunFailed reports a fault of the function that re-executes imports.
func textRerunFailed(name, text string) string {
	return "La demande n'a pas abouti (" + message.Text(name) + ") : " + strings.TrimSuffix(message.Text(text), ".") + ". Elle peut être répétée."
}
