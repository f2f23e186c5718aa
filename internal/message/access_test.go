package message_test

import (
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// TestAccess: the text of a refusal names the action, its object and what was at
// work, and an operator reads that nothing goes on by itself.
func TestAccess(t *testing.T) {
	t.Parallel()
	text := message.AccessDenied("Stage clients 3", "kms:Decrypt", "arn:k", "AccessDeniedException")
	for _, part := range []string{"kms:Decrypt", "sur arn:k", "Stage clients 3", "AccessDeniedException"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
	for state, part := range map[string]string{"Disabled": "kms:EnableKey", "PendingDeletion": "kms:CancelKeyDeletion", "NotFound": "région", "InvalidState": "Rétablissez"} {
		if text := message.KeyUnusable("op", state, "d"); !strings.Contains(text, part) || !strings.Contains(text, state) {
			t.Errorf("%s: %q", state, text)
		}
	}
	for _, name := range []etl.Fault{etl.FaultAccessDenied, etl.FaultKeyUnusable} {
		if todo := message.WhatToDo("IMPORT_1", name, "redrive"); !strings.Contains(todo, "make redrive IMPORT_ID=IMPORT_1") || !strings.Contains(todo, "automatiquement") {
			t.Errorf("%s: %q", name, todo)
		}
	}
}
