package control

import (
	"fmt"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// Log messages.
const (
	logMissingFiles  = "Fichiers manquants à l'échéance"
	logStarted       = "Import démarré"
	logNotStarted    = "Exécution absente : démarrage repris"
	logEnded         = "Import terminé"
	LogFailed        = "Import en échec"
	LogRerun         = "Réexécution"
	LogAsked         = "Réexécution demandée"
	LogAnswered      = "Réexécution demandée : issue"
	LogNotAudited    = "Demande pas inscrite dans etl.audit ; cette journalisation en tient lieu"
	LogConsole       = "Reprise de la console : demandeur connu par CloudTrail"
	logAutomaticVoid = "Reprise automatique sans objet"
	LogForeign       = "Événement ignoré : l'exécution n'est pas l'exécution courante d'un import"
	LogNoDefinition  = "Définition de la machine illisible : impossible de dire si elle a changé depuis le début de l'exécution"
	LogAttemptsLater = "Tentatives pas encore copiées dans etl.attempts ; elles le seront à l'ouverture ou à la publication"
	logWorkDropped   = "Objets de travail de la génération close supprimés"
	LogWorkLeft      = "Objets de travail de la génération close pas tous supprimés ; le cycle de vie du bucket supprime le reste"
	logNoHistory     = "Historique de l'exécution illisible"
	logReplayStarted = "Rejeu de l'enrichissement démarré"
	LogReplayEnded   = "Rejeu de l'enrichissement terminé"
	LogReplayFailed  = "Rejeu de l'enrichissement en échec"
	LogReplayUntold  = "Fin d'un rejeu pas encore signalée (rapport ou alerte impossible) ; le balayage recommence"
	logSecondInitial = "Import initial ignoré : des données sont déjà publiées"
)

// logIncomplete is the log message about a date that lacks files although a later
// date is published.
const logIncomplete = "Date incomplète, plus ancienne que les données publiées"

// Log messages about failures that the sweep makes up for later.
const (
	LogUntold     = "Fin d'un import pas encore signalée (rapport ou alerte impossible) ; le balayage recommence"
	logNextLater  = "Date suivante pas encore démarrée ; le balayage la démarre"
	logStateLater = "État de l'import pas encore recopié dans etl.imports ; le balayage recommence"
	LogSlotFreed  = "Place d'exécution libérée : l'import qui la tenait est terminé"
)

// ReasonMissingFiles is the reason when an import lacks files.
func ReasonMissingFiles(missing []string) string {
	if len(missing) == 0 {
		return "Des fichiers manquaient à l'échéance."
	}
	return "Fichiers manquants : " + message.List(missing, ", ") + "."
}

// ReasonStopped, ReasonTimedOut and ReasonUnknown are reasons for failures that no
// function reported.
const (
	ReasonStopped  = "L'exécution a été arrêtée à la main."
	ReasonTimedOut = "Le délai maximal de l'exécution est dépassé."
	ReasonUnknown  = "Cause inconnue ; voir l'historique de l'exécution."
)

// reasonError is the reason when only the error of a failure is known.
func reasonError(name etl.Fault, cause string) string {
	if cause == "" {
		return "Erreur " + string(name) + "."
	}
	return "Erreur " + string(name) + " : " + cause
}

// dateMisses names the missing files of a date.
func dateMisses(date string, missing []string) string {
	return date + " : " + message.List(missing, ", ")
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

// FilesCorrected states that an import restarts automatically once its refused files
// are corrected, or no longer does: used of limit such restarts were made.
func FilesCorrected(used, limit int) string {
	if used >= limit {
		return fmt.Sprintf("Aucune : l'import est déjà reparti %d fois de lui-même sur des fichiers corrigés.", used)
	}
	return fmt.Sprintf("Dès que chaque fichier refusé a une version plus récente (%d fois sur %d jusqu'ici).", used, limit)
}
