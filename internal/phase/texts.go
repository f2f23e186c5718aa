package phase

import (
	"fmt"
	"strings"
	"time"

	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
)

// Messages of the central log, one for what each phase of an import does.
const (
	FilesMissing        = "Fichiers manquants"
	importOpened        = "Import ouvert, liste des fichiers scellée"
	fileScanned         = "Fichier vérifié et découpé"
	importPlanned       = "Plan de chargement établi"
	chunkProtected      = "Lot tokenisé et chiffré"
	chunkStaged         = "Lot persisté"
	chunkValidated      = "Lot validé"
	stagingIndexed      = "Données brutes indexées"
	resourceChecked     = "Contrôles croisés terminés"
	chunkEnriched       = "Lot enrichi"
	eventsReplayed      = "Événements complétés par un rejeu"
	chunkTransformed    = "Lot transformé en événements"
	chunkPrepared       = "Événements du lot persistés"
	targetIndexed       = "Table cible indexée"
	importReconciled    = "Comptes et sommes de contrôle vérifiés"
	importPublished     = "Import publié"
	ValidationError     = "Erreur de validation des données"
	EnrichmentError     = "Échec de l'enrichissement"
	SourceDown          = "Source d'enrichissement sans réponse"
	ProgressNotRecorded = "Avancement non enregistré"
	Incoherence         = "Incohérence détectée entre tables"
	EventPersisted      = "Événement persisté"
)

// LogFileRefused is the log message about a file that is rejected as a whole.
const LogFileRefused = "Fichier rejeté"

// LogReloadShrinks is the log message about a reload that removes a large share of its
// table's rows.
const LogReloadShrinks = "Rechargement : la table perd une grande part de ses lignes"

// unknownExecution refuses an execution, started by hand, of an import that the
// registry does not know.
const unknownExecution = "le registre ne connaît pas cet import ; une exécution ne se démarre pas à la main : déposez les fichiers, " +
	"ou relancez un import connu par make redrive ou make restart"

// forgedInput refuses an execution whose input does not match the registry.
func forgedInput(importID string, mode etl.Mode, date string, generation int) string {
	return fmt.Sprintf("l'entrée de l'exécution n'est pas celle de l'import (mode %s, date %s, génération %d au registre) ; "+
		"une exécution ne se démarre pas à la main : make redrive IMPORT_ID=%s ou make restart IMPORT_ID=%s", mode, date, generation, importID, importID)
}

// foreignExecution refuses an execution that is not the import's current one.
func foreignExecution(importID string) string {
	return fmt.Sprintf("ce n'est pas l'exécution courante de l'import ; une exécution ne se démarre pas à la main et une ancienne ne se reprend pas : "+
		"make redrive IMPORT_ID=%s ou make restart IMPORT_ID=%s", importID, importID)
}

// slotTaken refuses to run an import while another one runs.
func slotTaken(holder string) string {
	return fmt.Sprintf("l'import %s est en cours ou en échec, un seul import à la fois : terminez-le ou abandonnez-le d'abord", holder)
}

// NotEnriched is the reason why a record has no enriched fields. code is what the
// source answered, never a value.
func NotEnriched(source, code string) string {
	return fmt.Sprintf("La source d'enrichissement '%s' n'a pas répondu (%s) : l'événement est publié sans ces champs et marqué.", source, code)
}

// sourceDown states that a source does not answer, when it is asked again, and for how
// long.
func sourceDown(source string, code enrichment.Code, wait, left time.Duration) string {
	return fmt.Sprintf("La source '%s' ne répond pas (%s) : nouvelle demande dans %s, pendant %s au plus ; ensuite les enregistrements restants sont publiés sans ses champs et marqués.",
		source, code, wait, left.Truncate(time.Second))
}

// historyFull stops an execution whose history can grow no further.
const historyFull = "l'historique de l'exécution est plein"

// notRejected reports that a record with withheld values reached the transformation,
// which only a bug can cause.
func notRejected(resource string, line int64) string {
	return fmt.Sprintf("l'enregistrement de la ligne %d de '%s' est chiffré en entier et n'est pas rejeté", line, resource)
}

// NewerRowsKept states how many newer rows an older file did not overwrite.
func NewerRowsKept(resource string, rows int64) string {
	return fmt.Sprintf("%s : %d lignes plus récentes conservées", resource, rows)
}

// OrphanRows describes an incoherence between published tables.
func OrphanRows(rows int64, resource, field, parent string) string {
	return fmt.Sprintf("%d lignes de %s désignent par '%s' une ligne absente de %s", rows, resource, field, parent)
}

// CountMismatch reports a figure that differs from the expected one.
func CountMismatch(what, resource string, want, got any) string {
	return fmt.Sprintf("%s de %s : %v attendus, %v trouvés", what, resource, want, got)
}

// Reasons for which a work object is refused.
const (
	otherSchema  = "il a été écrit pour d'autres colonnes"
	otherContent = "son contenu n'est pas celui qui a été écrit"
	olderMachine = "il manque, car l'exécution suit une définition d'avant l'état Enrich"
)

// otherAnswers reports that the answers of the enrichment do not match the valid
// records, which only a bug can cause.
func otherAnswers(resource string, line int64) string {
	return fmt.Sprintf("les réponses de l'enrichissement de '%s' ne sont pas celles de ses enregistrements valides (ligne %d)", resource, line)
}

// OverBudget states how many records of a file are rejected and how many may be. The
// limit is a number of rejects, a share (in millionths of the records read) that applies
// above shareFrom rejects, or both. A negative value means no limit.
func OverBudget(file string, rejected, read, maxRejects, maxMillionths, shareFrom int64) string {
	var limits []string
	if maxRejects >= 0 {
		limits = append(limits, message.Count(maxRejects))
	}
	if maxMillionths >= 0 {
		limit := message.Percent(maxMillionths)
		if shareFrom > 0 {
			limit += " au-delà de " + message.Count(shareFrom) + " rejets"
		}
		limits = append(limits, limit)
	}
	return fmt.Sprintf("%s, %s rejetés sur %s lus (%s ; limite : %s)",
		file, message.Count(rejected), message.Count(read), message.Share(rejected, read), strings.Join(limits, " et "))
}

// StoppedEarly adds that the rest of a file with so many records was not checked.
func StoppedEarly(records int64) string {
	return ", contrôle arrêté avant la fin des " + message.Count(records) + " enregistrements du fichier"
}

// textShrinks is [ShrinkText] for the log. accepted means that a person accepted it; by is that
// person, if known.
func textShrinks(resource string, before, after int64, accepted bool, by string) string {
	text := fault.ShrinkText(resource, before, after)
	switch {
	case accepted && by != "":
		return text + ", accepté par " + message.Text(by)
	case accepted:
		return text + ", accepté"
	default:
		return text
	}
}
