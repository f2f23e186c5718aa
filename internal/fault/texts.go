package fault

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// StepFailed is the log message of a step that failed.
const StepFailed = "Échec de l'étape"

// Panicked reports that a function panicked. The panic's value may contain data, so it
// is withheld.
const Panicked = "la fonction a paniqué, la valeur n'est pas montrée"

// missingFilesText refuses to start an import that lacks files.
func missingFilesText(importID string, missing []string) string {
	return fmt.Sprintf("Import %s : fichiers manquants : %s. Déposez-les : l'import reprend de lui-même.",
		importID, message.List(missing, ", "))
}

// supersededText refuses a writer of an earlier generation.
func supersededText(importID string, generation int) string {
	return fmt.Sprintf("Import %s : la génération %d n'est plus la génération courante, rien n'a été écrit.", importID, generation)
}

// tooManyRecordsText refuses a daily import with too many records, before anything is
// loaded.
func tooManyRecordsText(importID string, records, limit int64) string {
	return fmt.Sprintf("Import %s : %s enregistrements, alors qu'un import quotidien en admet %s au plus (paramètre MaxDailyRecords de la pile). Rien n'a été chargé.",
		importID, message.Count(records), message.Count(limit))
}

// incompatibleText refuses a work object that cannot be used.
func incompatibleText(object, reason string, goOn bool) string {
	what := "Recommencez l'import (restart)"
	if goOn {
		what = "Continuez l'import dans une nouvelle exécution (continue)"
	}
	return fmt.Sprintf("Objet de travail %s : %s. %s.", object, reason, what)
}

// mismatchText reports that an import is not published because its figures differ.
func mismatchText(importID, reason string) string {
	return fmt.Sprintf("Import %s : %s. Rien n'a été publié : recommencez l'import (restart).", importID, reason)
}

// tokenKeyChangedText refuses tokens that would join with none of the database's.
func tokenKeyChangedText(importID, first string) string {
	return fmt.Sprintf("Import %s : la clé des jetons n'est pas celle de la base, en usage depuis l'import %s ; chaque client serait inséré une seconde fois. "+
		"Rien n'a été publié. Indiquez l'ancienne clé (paramètre TokensKeyArn de la pile), ou la base de cette pile (DatabaseSecretArn), puis recommencez l'import (restart).",
		importID, first)
}

// budgetExceededText is the reason of an import stopped because files have too many
// rejects.
func budgetExceededText(importID string, files []string) string {
	return fmt.Sprintf("Import %s : trop de rejets : %s. Rien n'a été publié.", importID, message.List(files, " ; "))
}

// invalidFilesText reports the files that are rejected as a whole, each with its name and
// reason. Reasons are cut where they would push a name out of the text; the status of
// each file holds the full reason.
func invalidFilesText(files []RefusedFile) string {
	const reasons = 450 // bytes of all reasons: ten names and the rest then fit into message.TextBytes
	texts := make([]string, len(files))
	for i, f := range files {
		texts[i] = f.File + " : " + message.Cut(f.Reason, reasons/max(len(files), 1))
	}
	what, file := "Fichier rejeté : ", "un fichier corrigé"
	if len(files) > 1 {
		what, file = fmt.Sprintf("%d fichiers rejetés : ", len(files)), "des fichiers corrigés"
	}
	return what + strings.Join(texts, " ; ") + ". Rien n'a été publié. Déposez " + file + " : l'import recommence alors de lui-même (sinon : restart)."
}

// ShrinkText states how many rows a reload would leave in a table.
func ShrinkText(resource string, before, after int64) string {
	return fmt.Sprintf("%s : %s lignes publiées, %s après le rechargement (%s en moins)",
		resource, message.Count(before), message.Count(after), message.Share(before-after, before))
}

// implausibleText is the reason why reloads are not published. tables are texts of
// [ShrinkText], resources are their names, and limit is in percent.
func implausibleText(importID string, tables, resources []string, limit int) string {
	accept := make([]string, len(resources))
	for i, r := range resources {
		accept[i] = " --accept shrink=" + r
	}
	return fmt.Sprintf("Import %s : rechargement invraisemblable : %s ; limite : %d\u00a0%% (paramètre MaxShrink de la pile). Rien n'a été publié. "+
		"Si c'est voulu : etlctl redrive %s%s. Sinon déposez des fichiers corrigés, puis recommencez l'import (restart).",
		importID, message.List(tables, " ; "), limit, importID, strings.Join(accept, ""))
}

// accessDeniedText names the denied action, its object and the operation it was part of.
func accessDeniedText(op, action, resource, detail string) string {
	on := ""
	if resource != "" {
		on = " sur " + resource
	}
	return fmt.Sprintf("Droit refusé : %s%s (pendant : %s ; %s). Accordez ce droit, puis reprenez l'import (redrive).", action, on, op, detail)
}

// keyUnusableText reports that an action failed because of the state of a KMS key.
func keyUnusableText(op, state, detail string) string {
	return fmt.Sprintf("Clé KMS inutilisable, état %s (pendant : %s ; %s). %s, puis reprenez l'import (redrive).", state, op, detail, mendKey(state))
}

// mendKey returns what makes a KMS key usable again.
func mendKey(state string) string {
	switch state {
	case KeyDisabled:
		return "Réactivez la clé (kms:EnableKey)"
	case KeyPendingDeletion:
		return "Annulez la suppression de la clé (kms:CancelKeyDeletion) et réactivez-la"
	case KeyNotFound:
		return "Vérifiez la clé, son compte et sa région"
	case KeyIncorrect:
		return "Indiquez la clé qui a servi à l'ouverture de l'import (paramètre FieldsKeyArn de la pile)"
	default:
		return "Rétablissez la clé"
	}
}

// WhatToDo returns what the operator must do about a failed import.
func WhatToDo(importID string, name etl.Fault, advice string) string {
	switch {
	case name == etl.FaultMissingFiles:
		return "Déposez les fichiers manquants : l'import reprend de lui-même. " +
			"Pour y renoncer : make abandon IMPORT_ID=" + importID
	case name == etl.FaultBudgetExceeded:
		return "Corrigez le fichier, déposez-le et redémarrez : make restart IMPORT_ID=" + importID +
			". Ou acceptez ces rejets : relevez la limite (paramètre RejectBudget de la pile), puis reprenez : make redrive IMPORT_ID=" + importID
	case name == etl.FaultImplausible:
		return "Si la table doit vraiment perdre ces lignes, acceptez-le pour cet import : etlctl redrive " + importID + " --accept shrink=<ressource>" +
			". Sinon déposez les fichiers corrigés, puis redémarrez : make restart IMPORT_ID=" + importID
	case name == etl.FaultTooManyRecords:
		return "Déposez des fichiers plus petits, le reste sous les dates suivantes, puis redémarrez : make restart IMPORT_ID=" + importID +
			". Ou, si la base de données suit : relevez MaxDailyRecords, puis reprenez : make redrive IMPORT_ID=" + importID
	case name == etl.FaultAccessDenied || name == etl.FaultKeyUnusable:
		return mendAccess(importID, name)
	case name == etl.FaultTokenKeyChanged:
		return "Indiquez à la pile la clé des jetons d'avant (paramètre TokensKeyArn, voir docs/deploy.md), puis redémarrez : make restart IMPORT_ID=" + importID
	case name == etl.FaultRefused:
		return "Faites ce que la raison indique. L'état de l'import : make status IMPORT_ID=" + importID
	case advice == "restart":
		return "Déposez les fichiers corrigés, puis redémarrez depuis le début : make restart IMPORT_ID=" + importID
	case advice == "continue":
		return "Continuez dans une nouvelle exécution, qui garde ce qui est fait : make redrive CONTINUE=1 IMPORT_ID=" + importID
	case advice == "none":
		return "Vérifiez l'état de l'import (make status IMPORT_ID=" + importID +
			"), puis redémarrez-le si besoin : make restart IMPORT_ID=" + importID
	default:
		return "Une fois la cause levée, reprenez à l'étape en échec : make redrive IMPORT_ID=" + importID +
			" (ou « Redrive » dans la console Step Functions)."
	}
}

// mendAccess returns what the operator must do about an import stopped by a missing
// permission or the state of a key. Nothing redrives it automatically.
func mendAccess(importID string, name etl.Fault) string {
	what := "Accordez le droit que la raison nomme (voir docs/deploy.md)"
	if name == etl.FaultKeyUnusable {
		what = "Rétablissez la clé KMS que la raison nomme"
	}
	return what + ", puis reprenez à l'étape en échec : make redrive IMPORT_ID=" + importID +
		" (ou « Redrive » dans la console Step Functions). Rien n'est repris automatiquement."
}
