package control

import (
	"fmt"
	"strings"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// Answers of a re-execution: what happened.

// textResumed answers that the execution continues at the step that failed.
func textResumed(importID string, step etl.Step) string {
	text := "L'import " + importID + " reprend dans la même exécution, à l'étape en échec"
	if step == "" {
		return text + "."
	}
	return text + " : « " + string(step) + " »."
}

// textDefinitionChanged adds that the state machine's definition has changed since the
// resumed execution started.
func textDefinitionChanged(importID string) string {
	return " La définition de la machine a changé depuis le début de cette exécution, et la reprise suit l'ancienne. Pour suivre la nouvelle, attendez " +
		"la fin de l'exécution ou arrêtez-la, puis demandez une continuation : make redrive IMPORT_ID=" + importID + " CONTINUE=1"
}

// textContinued answers that a new execution continues the generation, and why.
func textContinued(importID, execution, why string) string {
	return "L'import " + importID + " continue dans une nouvelle exécution, " + execution + ", qui suit la définition actuelle de la machine (" + why +
		"). La génération reste la même : ce qui est fait n'est pas refait."
}

// Why a new execution continues an import.
const (
	ContinuedAsAsked     = "continuation demandée"
	ContinuedAsForgotten = "l'exécution précédente n'existe plus : 90 jours après sa fin, AWS l'oublie"
)

// textNotRedrivable translates the reason that DescribeExecution gives for not redriving an
// execution (redriveStatusReason in the API reference).
func textNotRedrivable(reason string) string {
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

// textRestarted answers that an import starts over, and what happens to anything that it
// has already published.
func textRestarted(importID, execution string, generation int, published bool) string {
	text := fmt.Sprintf("L'import %s redémarre depuis le début : génération %d, exécution %s.", importID, generation, execution)
	if published {
		text += " Ce qu'il a publié reste visible jusqu'à ce que la nouvelle génération soit publiée à sa place."
	}
	return text
}

// textAbandoned answers that an import was given up.
func textAbandoned(importID string) string {
	return "L'import " + importID + " est abandonné ; les dates suivantes peuvent avancer."
}

// textReplayBegun answers that a replay begins.
func textReplayBegun(importID, source string) string {
	what := "les sources d'enrichissement sont interrogées"
	if source != "" {
		what = "la source d'enrichissement '" + message.Text(source) + "' est interrogée"
	}
	return "Rejeu de l'import " + importID + " : " + what + " de nouveau pour les enregistrements publiés non enrichis. Une alerte en dira la fin."
}

// textReplayRuns answers that what was asked for is being done already.
func textReplayRuns(importID string) string {
	return "Le rejeu de l'import " + importID + " est déjà en cours. Une alerte en dira la fin."
}

// textReplayResumed answers that a replay that failed goes on.
func textReplayResumed(importID string) string {
	return "Le rejeu de l'import " + importID + " reprend dans la même exécution : ce qui est complété n'est pas redemandé. Une alerte en dira la fin."
}

// textConsole tells of a redrive in the console.
func textConsole(at time.Time) string {
	return "reprise demandée dans la console Step Functions le " + at.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// Refusals of a re-execution: why, and what to do instead.

// RefusedMode refuses a mode that does not exist.
const RefusedMode = "le mode demandé n'existe pas : resume, continue, restart, abandon ou enrich"

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

// refusedChanged refuses a request because the import has just changed.
const refusedChanged = "l'import vient de changer d'état ; vérifiez son statut puis recommencez"

// RefusedOvertaken refuses a planned redrive of an import that has moved on meanwhile.
const RefusedOvertaken = "la reprise automatique est sans objet : l'import a avancé ou a été repris entre-temps"

// RefusedTaken refuses a request while another import runs.
func RefusedTaken(holder string) string {
	return "l'import " + holder + " est ouvert, et un seul import avance à la fois ; terminez-le ou abandonnez-le d'abord"
}

// refusedPending refuses a request while another one is pending.
func refusedPending(kind etl.Kind) string {
	return "une autre réexécution (" + string(kind) + ") vient d'être demandée ; vérifiez son statut puis recommencez"
}

// RefusedNotCorrected refuses the automatic restart of an import whose refused files
// are not all replaced, or which has restarted this way too often.
const RefusedNotCorrected = "les fichiers refusés n'ont pas tous une version plus récente, ou l'import est déjà reparti trop souvent de lui-même : make restart"

// RefusedAcceptMode refuses an acceptance with anything but a resume.
const RefusedAcceptMode = "une acceptation n'accompagne qu'une reprise (make redrive) : un redémarrage mesure tout de nouveau"

// RefusedAcceptMany refuses acceptances that are repeated, or more than there are tables.
func RefusedAcceptMany(most int) string {
	return fmt.Sprintf("une limite ne s'accepte qu'une fois : au plus %d acceptations, toutes différentes", most)
}

// RefusedAccept refuses an acceptance of something that nobody can accept.
func RefusedAccept(asked string, resources []string) string {
	return fmt.Sprintf("« %s » ne peut pas être accepté ; la forme est shrink=<table>, avec l'une de : %s", message.Text(asked), strings.Join(resources, ", "))
}

// RefusedEnrichRunning refuses to replay an import that is not published yet.
const RefusedEnrichRunning = "l'import est en cours : ses sources sont encore interrogées ; attendez sa fin, puis redemandez le rejeu s'il en reste de non enrichis"

// RefusedEnrichFailed refuses to replay an import that failed.
func RefusedEnrichFailed(importID string) string {
	return "l'import a échoué et n'est pas publié : reprenez-le d'abord (make redrive IMPORT_ID=" + importID + ", ou make restart), puis redemandez le rejeu s'il en reste de non enrichis"
}

// RefusedEnrichUnpublished refuses to replay an import that was given up.
const RefusedEnrichUnpublished = "l'import est abandonné : il n'a rien publié à compléter"

// RefusedReplaying refuses another replay while one runs.
func RefusedReplaying(source string) string {
	if source == "" {
		return "un rejeu de toutes les sources est en cours ; attendez sa fin"
	}
	return "un rejeu de la source '" + message.Text(source) + "' est en cours ; attendez sa fin"
}

// RefusedSource refuses to ask a source that does not exist.
func RefusedSource(asked string, sources []string) string {
	return fmt.Sprintf("aucune source d'enrichissement ne s'appelle « %s » ; il y a : %s", message.Text(asked), strings.Join(sources, ", "))
}

// historyFull stops a replay whose history can grow no further.
const historyFull = "l'historique de l'exécution du rejeu est plein"
