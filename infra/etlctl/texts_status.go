package main

import (
	"cmp"
	"fmt"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// Why a date waits.

// textWaiting notes that a date waits, and why.
func textWaiting(mode etl.Mode, date, reason string) string {
	return "Import " + ctlMode(mode) + " du " + date + " : « " + string(etl.StatusWaiting) + " ». " + reason
}

// textWaitingArrivals notes that the system has not yet recorded all files.
func textWaitingArrivals(known, all int) string {
	return fmt.Sprintf("Prise en compte des fichiers : %d sur %d.", known, all)
}

// textWaitsForFiles names the missing files.
func textWaitsForFiles(missing []string) string {
	return "Fichiers manquants : " + message.List(missing, ", ") + ". L'import démarre dès qu'ils sont déposés."
}

// textWaitsForRunning names the running import.
func textWaitsForRunning(importID string, mode etl.Mode, date string) string {
	return "Un seul import avance à la fois : " + importID + " (" + ctlMode(mode) + ", " + date + ") est en cours."
}

// textWaitsForFailed names the failed import that holds up the others.
func textWaitsForFailed(importID string, mode etl.Mode, date string, status etl.Status) string {
	return "L'import antérieur " + importID + " (" + ctlMode(mode) + ", " + date + ") est « " + string(status) + " » : reprenez-le " +
		"(make redrive IMPORT_ID=" + importID + "), redémarrez-le (make restart) ou abandonnez-le (make abandon)."
}

// textWaitsForDate names an earlier date that lacks files.
func textWaitsForDate(date string, missing []string) string {
	return "La date antérieure " + date + " passe d'abord, et il lui manque : " + message.List(missing, ", ") + "."
}

// textWaitsForInitial is the reason when the history is not loaded yet.
const textWaitsForInitial = "Aucun import initial n'a encore réussi, et les imports quotidiens l'attendent."

// textWaitsForNothing notes that a date is about to start.
const textWaitsForNothing = "Démarrage imminent."

// textNoMore ends a wait that only a person can end.
const textNoMore = "Rien n'avancera sans intervention : fin du suivi. Les fichiers restent déposés."

// About following.

// textImport announces an import.
func textImport(importID string, mode etl.Mode, date string, status etl.Status) string {
	return "Import " + importID + " (" + ctlMode(mode) + ", " + date + ") : « " + string(message.Text(status)) + " »"
}

// textAttempt announces an attempt.
func textAttempt(number int, kind etl.Kind, trigger etl.Trigger, generation int) string {
	return fmt.Sprintf("Tentative %d : %s (%s), génération %d", number, message.KindName(kind), message.TriggerName(trigger), generation)
}

// textNotAnswering warns that the registry is not answering.
func textNotAnswering(err error) string {
	return "Le registre ne répond pas, nouvel essai : " + errorText(err)
}

// textInterrupted notes that etlctl stopped following, and that the import goes on.
func textInterrupted(importID string) string {
	if importID == "" {
		return "Suivi interrompu ; rien d'autre ne s'arrête. « etlctl status » montre les imports et les dates en attente."
	}
	return "Suivi interrompu ; l'import, lui, continue. Pour le suivre à nouveau : etlctl status " + importID + " --follow"
}

// textTimeout reports that the time limit has passed.
func textTimeout(after time.Duration, importID string) string {
	return "Délai de " + message.Seconds(after.Seconds()) + " dépassé (--timeout). " + textInterrupted(importID)
}

// textReport gives the location of the report.
func textReport(location string) string { return "Rapport : " + location }

// textReportLate gives the location at which the report will be.
func textReportLate(location string) string { return "Rapport (pas encore écrit) : " + location }

// textResult is the last line of an import.
func textResult(importID string, status etl.Status, seconds float64) string {
	return "Import " + importID + " : « " + string(status) + " » en " + message.Seconds(seconds)
}

// textFailure states where an import failed, why, and what to do.
func textFailure(step etl.Step, reason, whatToDo string) string {
	return "Étape    : " + string(message.Text(step)) + "\nRaison   : " + message.Text(reason) + "\nÀ faire  : " + message.Text(whatToDo)
}

// textErrorsHint points to the command that shows why records were rejected.
func textErrorsHint(importID string) string {
	return "Détail des rejets : etlctl errors " + importID
}

// textUnitsOf formats the progress of a state: units done, and units planned if known.
func textUnitsOf(done, planned int) string {
	if planned > 0 {
		return fmt.Sprintf("%d/%d lots", done, planned)
	}
	if done == 1 {
		return "1 lot"
	}
	return fmt.Sprintf("%d lots", done)
}

// textRecords formats a number of records.
func textRecords(n int64) string { return message.Count(n) + " enreg." }

// textRate formats a number of records per second.
func textRate(n int64) string { return message.Count(n) + "/s" }

// textReplayProgress tells how far a replay has come.
func textReplayProgress(resolved, left int64) string {
	return "Rejeu : " + message.Count(resolved) + " complétés, encore " + message.Count(left) + " non enrichis"
}

// textReplay describes the last replay of an import.
func textReplay(r registry.Replay, resolved, left int64) string {
	text := fmt.Sprintf("Rejeu %d (%s) : « %s ». %s complétés, encore %s non enrichis.", r.Number, cmp.Or(r.Source, "toutes les sources"),
		r.Status, message.Count(resolved), message.Count(left))
	if r.Status == etl.StatusFailed {
		text += "\nRaison   : " + message.Text(r.Reason)
	}
	return text
}

// textReplayHint points to the command that asks the sources again.
func textReplayHint(importID string) string {
	return "Pour redemander les non enrichis : etlctl enrich " + importID
}

// Titles of the tables of an import and of the overview.
const (
	textTitleFiles    = "Fichiers"
	textTitleSteps    = "Étapes"
	textTitleSources  = "Sources d'enrichissement"
	textTitleReplays  = "Rejeux de l'enrichissement"
	textTitleAttempts = "Tentatives"
	textTitleWaiting  = "Dates en attente"
	textTitleImports  = "Imports"
	textNoImports     = "Aucun import."
	textNoWaiting     = "Aucune date en attente."
)

// Columns of these tables, separated by "|".
const (
	textColumnsFiles    = "Fichier|Lus|Valides|Rejetés|Enrichis|Non enrichis|Persistés|Travail|Statut"
	textColumnsSteps    = "État|Étape|Lots|Enregistrements|Débit|Durée"
	textColumnsSources  = "Source|Demandés|Enrichis|Inconnus|Non enrichis|Appels|Attentes|Attendu|Travail|Membres écartés|Causes"
	textColumnsReplays  = "N°|Source|Demandés|Enrichis|Inconnus|Non enrichis|Ignorés|Complétés|Appels|Attentes|Attendu|Travail|Causes"
	textColumnsAttempts = "N°|Nature|Déclencheur|Date (UTC)|Génération|Étape de l'échec qui précède|Raison"
	textColumnsImports  = "Import|Mode|Date|Statut|Étape|Début (UTC)|Durée"
	textColumnsWaiting  = "Mode|Date|Statut|Raison"
)
