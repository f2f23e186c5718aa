package fault_test

import (
	"fmt"
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
)

const importID = "IMPORT_20241009_150000_001"

// TestFaults: what stops an import says which one, or which file, and what to do.
func TestFaults(t *testing.T) {
	t.Parallel()
	for text, parts := range map[string][]string{
		(&fault.MissingFiles{ImportID: importID, Missing: []string{"client_data", "sales_data"}}).Error():         {importID, "client_data, sales_data", "reprend"},
		(&fault.InvalidFile{Files: []fault.RefusedFile{{File: "client_data_20241008.csv", Reason: "R"}}}).Error(): {"client_data_20241008.csv", "R", "restart"},
		(&fault.Superseded{ImportID: importID, Generation: 3}).Error():                                            {importID, "3"},
		(&fault.Incompatible{Object: "k/0.copy", Reason: "R"}).Error():                                            {"k/0.copy", "R", "restart"},
		(&fault.Incompatible{Object: "k/0.copy", Reason: "R", Continue: true}).Error():                            {"k/0.copy", "R", "continue"},
		(&fault.Mismatch{ImportID: importID, Reason: "R"}).Error():                                                {importID, "R", "restart", "Rien n'a été publié"},
		(&fault.Refused{ImportID: importID, Reason: "R"}).Error():                                                 {importID, "R"},
	} {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%q does not say %q", text, part)
			}
		}
	}
}

// TestAccess: the text of a refusal names the action, its object and what was at
// work, and an operator reads that nothing goes on by itself.
func TestAccess(t *testing.T) {
	t.Parallel()
	text := (&fault.AccessDenied{Op: "Stage clients 3", Action: "kms:Decrypt", Resource: "arn:k", Detail: "AccessDeniedException", Err: errPlain}).Error()
	for _, part := range []string{"kms:Decrypt", "sur arn:k", "Stage clients 3", "AccessDeniedException"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
	for state, part := range map[string]string{"IncorrectKey": "FieldsKeyArn", "Disabled": "kms:EnableKey", "PendingDeletion": "kms:CancelKeyDeletion", "NotFound": "région", "InvalidState": "Rétablissez"} {
		if text := (&fault.KeyUnusable{Op: "op", State: state, Detail: "d", Err: errPlain}).Error(); !strings.Contains(text, part) || !strings.Contains(text, state) {
			t.Errorf("%s: %q", state, text)
		}
	}
	for _, name := range []etl.Fault{etl.FaultAccessDenied, etl.FaultKeyUnusable} {
		if todo := fault.WhatToDo("IMPORT_1", name, "redrive"); !strings.Contains(todo, "make redrive IMPORT_ID=IMPORT_1") || !strings.Contains(todo, "automatiquement") {
			t.Errorf("%s: %q", name, todo)
		}
	}
}

// TestInvalidFiles: one text names every file, however long the reasons are.
func TestInvalidFiles(t *testing.T) {
	t.Parallel()
	one := (&fault.InvalidFile{Files: []fault.RefusedFile{{File: "store_data_20241008.csv", Reason: "le fichier est vide"}}}).Error()
	if want := "Fichier rejeté : store_data_20241008.csv : le fichier est vide. Rien n'a été publié. Déposez un fichier corrigé : l'import recommence alors de lui-même (sinon : restart)."; one != want {
		t.Errorf("%q", one)
	}
	var files []fault.RefusedFile
	for n := range 11 {
		files = append(files, fault.RefusedFile{File: fmt.Sprintf("employee_data_%d_20241008.jsonl", n), Reason: strings.Repeat("é", 10_000)})
	}
	all := (&fault.InvalidFile{Files: files}).Error()
	if !strings.HasPrefix(all, "11 fichiers rejetés : ") || !strings.HasSuffix(all, "(sinon : restart).") {
		t.Errorf("%q", all)
	}
	for _, f := range files {
		if !strings.Contains(all, f.File) {
			t.Errorf("%s is not named in %q", f.File, all)
		}
	}
}

func TestBudgetExceeded(t *testing.T) {
	t.Parallel()
	text := (&fault.BudgetExceeded{ImportID: "IMPORT_1", Files: []string{"A", "B"}}).Error()
	for _, part := range []string{"IMPORT_1", "A ; B", "Rien n'a été publié"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	if todo := fault.WhatToDo("IMPORT_1", "BudgetExceeded", "redrive"); !strings.Contains(todo, "make redrive IMPORT_ID=IMPORT_1") || !strings.Contains(todo, "make restart IMPORT_ID=IMPORT_1") || !strings.Contains(todo, "RejectBudget") {
		t.Error(todo)
	}
}

// TestTokenKeyChanged: the text names the import since which the key is in use, and the
// parameter that brings it back.
func TestTokenKeyChanged(t *testing.T) {
	t.Parallel()
	text := (&fault.TokenKeyChanged{ImportID: "IMPORT_2", First: "IMPORT_1"}).Error()
	for _, part := range []string{"IMPORT_2", "IMPORT_1", "TokensKeyArn", "Rien n'a été publié", "restart"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
	if todo := fault.WhatToDo("IMPORT_2", "TokenKeyChanged", "restart"); !strings.Contains(todo, "TokensKeyArn") || !strings.Contains(todo, "make restart IMPORT_ID=IMPORT_2") {
		t.Error(todo)
	}
}

// TestRefused: only the reason knows what to do, so no restart is advised.
func TestRefused(t *testing.T) {
	t.Parallel()
	if todo := fault.WhatToDo("IMPORT_1", "Refused", "none"); !strings.Contains(todo, "la raison") || !strings.Contains(todo, "IMPORT_ID=IMPORT_1") || strings.Contains(todo, "restart") {
		t.Error(todo)
	}
}

func TestTooManyRecords(t *testing.T) {
	t.Parallel()
	text := (&fault.TooManyRecords{ImportID: "IMPORT_1", Records: 2_000_001, Limit: 2_000_000}).Error()
	for _, part := range []string{"IMPORT_1", message.Count(2_000_001), message.Count(2_000_000), "MaxDailyRecords", "Rien n'a été chargé"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	todo := fault.WhatToDo("IMPORT_1", "TooManyRecords", "restart")
	for _, part := range []string{"make restart IMPORT_ID=IMPORT_1", "make redrive IMPORT_ID=IMPORT_1", "MaxDailyRecords", "dates suivantes"} {
		if !strings.Contains(todo, part) {
			t.Errorf("%q does not say %q", todo, part)
		}
	}
}
