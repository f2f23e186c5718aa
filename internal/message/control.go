package message

import (
	"fmt"
	"strings"
	"time"

	"etl-dataloader/internal/etl"
)

// Log messages of the control functions.
const (
	LogBadName       = "Fichier refusé : nom non conforme"
	LogArrival       = "Fichier reçu"
	LogWithdrawn     = "Fichier retiré du dépôt"
	LogLateFile      = "Fichier ignoré : la liste des versions de l'import est déjà arrêtée"
	LogMissingFiles  = "Fichiers manquants à l'échéance"
	LogStarted       = "Import démarré"
	LogNotStarted    = "Exécution absente : démarrage repris"
	LogEnded         = "Import terminé"
	LogFailed        = "Import en échec"
	LogRerun         = "Réexécution"
	LogAutomaticVoid = "Reprise automatique sans objet"
	LogForeign       = "Événement ignoré : l'exécution n'est pas l'exécution courante d'un import"
	LogNoDefinition  = "Définition de la machine illisible : impossible de dire si elle a changé depuis le début de l'exécution"
	LogAttemptsLater = "Tentatives pas encore copiées dans etl.attempts ; elles le seront à l'ouverture ou à la publication"
	LogWorkDropped   = "Objets de travail de la génération close supprimés"
	LogWorkLeft      = "Objets de travail de la génération close pas tous supprimés ; le cycle de vie du bucket supprime le reste"
	LogNoHistory     = "Historique de l'exécution illisible"
	LogSecondInitial = "Import initial ignoré : des données sont déjà publiées"
)

// Reasons why a file name is refused.
const (
	BadFolder    = "Le fichier n'est ni dans « initial/ » ni dans « daily/ »."
	BadForm      = "Le nom n'a pas la forme « <type>_<AAAAMMJJ>.<ext> »."
	BadType      = "Le type de fichier est inconnu (majuscules et minuscules comptent)."
	BadDate      = "La date n'existe pas au calendrier."
	BadExtension = "L'extension n'est ni « csv », ni « json », ni « jsonl »."
)

// Alert is a notification for the operators. Its subject is plain ASCII with fewer
// than 100 characters, as Amazon SNS requires for e-mail (API reference, Publish). Its
// text may have several lines; text from outside never adds one.
type Alert struct{ Subject, Text string }

// LateFile reports that a file came too late to be used, and what makes it count.
func LateFile(importID string, status etl.Status) string {
	if status == etl.StatusSucceeded {
		return "L'import " + importID + " de cette date est déjà « réussi » : le fichier ne sera pas chargé, " +
			"sauf par un redémarrage forcé : make restart IMPORT_ID=" + importID + " FORCE=1"
	}
	if status == etl.StatusFailed {
		return "S'il corrige un fichier refusé, l'import repart de lui-même dès que tous les fichiers refusés sont corrigés. " +
			"Sinon, pour prendre ce fichier en compte, redémarrez l'import : make restart IMPORT_ID=" + importID
	}
	return "Pour prendre ce fichier en compte, redémarrez l'import : make restart IMPORT_ID=" + importID
}

// AlertDeadline reports that files are missing at the deadline while the import of
// that date is still waiting for its turn.
func AlertDeadline(date string, missing []string, waitsFor string) Alert {
	text := fmt.Sprintf("À l'échéance, des fichiers du %s manquent : %s.\n", date, List(missing, ", "))
	if waitsFor != "" {
		text += "L'import de cette date attend la fin d'un import antérieur : " + waitsFor + "."
	}
	return Alert{Subject: "ETL-DataLoader : fichiers manquants " + date, Text: text}
}

// ReasonMissingFiles is the reason when an import lacks files.
func ReasonMissingFiles(missing []string) string {
	if len(missing) == 0 {
		return "Des fichiers manquaient à l'échéance."
	}
	return "Fichiers manquants : " + List(missing, ", ") + "."
}

// ReasonStopped, ReasonTimedOut and ReasonUnknown are reasons for failures that no
// function reported.
const (
	ReasonStopped  = "L'exécution a été arrêtée à la main."
	ReasonTimedOut = "Le délai maximal de l'exécution est dépassé."
	ReasonUnknown  = "Cause inconnue ; voir l'historique de l'exécution."
)

// ReasonError is the reason when only the error of a failure is known.
func ReasonError(name etl.Fault, cause string) string {
	if cause == "" {
		return "Erreur " + string(name) + "."
	}
	return "Erreur " + string(name) + " : " + cause
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
	case advice == "restart":
		return "Déposez les fichiers corrigés, puis redémarrez depuis le début : make restart IMPORT_ID=" + importID
	case advice == "none":
		return "Vérifiez l'état de l'import (make status IMPORT_ID=" + importID +
			"), puis redémarrez-le si besoin : make restart IMPORT_ID=" + importID
	default:
		return "Une fois la cause levée, reprenez à l'étape en échec : make redrive IMPORT_ID=" + importID +
			" (ou « Redrive » dans la console Step Functions)."
	}
}

// AlertFailed reports a failed import: where and why it failed, what to do, and what
// the system does automatically. automatic may be empty.
func AlertFailed(importID string, step etl.Step, reason, whatToDo, automatic, report string) Alert {
	if automatic != "" {
		automatic = "Reprise automatique : " + automatic + "\n"
	}
	return Alert{
		Subject: "ETL-DataLoader : import en echec " + importID,
		Text: fmt.Sprintf("Import : %s\nStatut : %s\nÉtape : %s\nRaison : %s\n\n%sÀ faire : %s\nRapport : %s\n",
			importID, etl.StatusFailed, step, Text(reason), automatic, Text(whatToDo), Text(report)),
	}
}

// AutomaticRedrive states when the system will redrive an import automatically, or
// that it will not. used of limit redrives were made since the last progress; the next
// one is planned for at (zero: none).
func AutomaticRedrive(used, limit int, at time.Time) string {
	switch {
	case !at.IsZero():
		return fmt.Sprintf("prévue le %s UTC (n° %d sur %d sans progrès). Rien à faire si la cause est passagère.",
			at.UTC().Format("2006-01-02 à 15:04:05"), used+1, limit)
	case used == 0:
		return "aucune."
	default:
		return fmt.Sprintf("il n'en reste aucune (%d sur %d faites sans progrès).", used, limit)
	}
}

// AlertSucceeded reports an import that succeeded.
func AlertSucceeded(importID string, mode etl.Mode, date, report string) Alert {
	return Alert{
		Subject: "ETL-DataLoader : import reussi " + importID,
		Text: fmt.Sprintf("Import : %s\nMode : %s\nDate des fichiers : %s\nStatut : %s\nRapport : %s\n",
			importID, mode, date, etl.StatusSucceeded, Text(report)),
	}
}

// Answers of a re-execution: what happened.

// Resumed answers that the execution continues at the step that failed.
func Resumed(importID string, step etl.Step) string {
	text := "L'import " + importID + " reprend dans la même exécution, à l'étape en échec"
	if step == "" {
		return text + "."
	}
	return text + " : « " + string(step) + " »."
}

// DefinitionChanged adds that the state machine's definition has changed since the
// resumed execution started.
func DefinitionChanged(importID string) string {
	return " La définition de la machine a changé depuis le début de cette exécution, et la reprise suit l'ancienne. Pour suivre la nouvelle, attendez " +
		"la fin de l'exécution ou arrêtez-la, puis demandez une continuation : make redrive IMPORT_ID=" + importID + " CONTINUE=1"
}

// Continued answers that a new execution continues the generation, and why.
func Continued(importID, execution, why string) string {
	return "L'import " + importID + " continue dans une nouvelle exécution, " + execution + ", qui suit la définition actuelle de la machine (" + why +
		"). La génération reste la même : ce qui est fait n'est pas refait."
}

// Why a new execution continues an import.
const (
	ContinuedAsAsked     = "continuation demandée"
	ContinuedAsForgotten = "l'exécution précédente n'existe plus : 90 jours après sa fin, AWS l'oublie"
)

// NotRedrivable translates the reason that DescribeExecution gives for not redriving an
// execution (redriveStatusReason in the API reference).
func NotRedrivable(reason string) string {
	const before = "l'exécution précédente ne peut plus être reprise : "
	switch strings.TrimSuffix(reason, ".") {
	case "Execution redrivable period exceeded", "Execution's redrivable period exceeded":
		return before + "sa fin remonte à plus de 14 jours"
	case "Execution history event limit exceeded":
		return before + "son historique est plein"
	case "Execution has exceeded the max execution time":
		return before + "elle a atteint sa durée maximale d'un an"
	case "Execution was started before the launch of RedriveExecution":
		return before + "elle est plus ancienne que la reprise"
	case "":
		return "l'exécution précédente ne peut plus être reprise"
	default:
		return before + reason
	}
}

// Restarted answers that an import starts over, and what happens to anything that it
// has already published.
func Restarted(importID, execution string, generation int, published bool) string {
	text := fmt.Sprintf("L'import %s redémarre depuis le début : génération %d, exécution %s.", importID, generation, execution)
	if published {
		text += " Ce qu'il a publié reste visible jusqu'à ce que la nouvelle génération soit publiée à sa place."
	}
	return text
}

// Abandoned answers that an import was given up.
func Abandoned(importID string) string {
	return "L'import " + importID + " est abandonné ; les dates suivantes peuvent avancer."
}

// Refusals of a re-execution: why, and what to do instead.

// RefusedUnknown refuses an import_id that does not exist.
const RefusedUnknown = "cet import n'existe pas"

// RefusedMode refuses a mode that does not exist.
const RefusedMode = "le mode demandé n'existe pas : resume, continue, restart ou abandon"

// RefusedForce refuses to force anything but a restart.
const RefusedForce = "« force » ne vaut que pour un redémarrage (restart)"

// RefusedInitialOver refuses to replace the history once a day is published on top.
const RefusedInitialOver = "un import quotidien est déjà publié : l'import initial ne peut plus être recommencé, même avec force"

// RefusedInitialOther refuses a second history when one is already published.
func RefusedInitialOther(importID string) string {
	return "l'import initial " + importID + " est publié ; pour remplacer ses données, déposez les fichiers à sa date et redémarrez-le avec force"
}

// RefusedRunning refuses what is not allowed while an import runs.
const RefusedRunning = "l'import est en cours ; attendez sa fin, ou arrêtez d'abord son exécution"

// RefusedSucceeded refuses to resume an import that succeeded.
const RefusedSucceeded = "l'import a déjà réussi ; il n'y a rien à reprendre. Pour remplacer ce qu'il a publié : redémarrage forcé " +
	"(make restart IMPORT_ID=… FORCE=1)"

// RefusedAbandoned refuses to resume an abandoned import.
const RefusedAbandoned = "l'import est abandonné ; seul un redémarrage (restart) est possible"

// RefusedChanged refuses a request because the import has just changed.
const RefusedChanged = "l'import vient de changer d'état ; vérifiez son statut puis recommencez"

// RefusedOvertaken refuses a planned redrive of an import that has moved on meanwhile.
const RefusedOvertaken = "la reprise automatique est sans objet : l'import a avancé ou a été repris entre-temps"

// RefusedTaken refuses a request while another import runs.
func RefusedTaken(holder string) string {
	return "l'import " + holder + " est ouvert, et un seul import avance à la fois ; terminez-le ou abandonnez-le d'abord"
}

// RefusedPending refuses a request while another one is pending.
func RefusedPending(kind etl.Kind) string {
	return "une autre réexécution (" + string(kind) + ") vient d'être demandée ; vérifiez son statut puis recommencez"
}
