package message

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/etl"
)

// Log messages about failures that the control functions make up for later.
const (
	LogUntold     = "Fin d'un import pas encore signalée (rapport ou alerte impossible) ; le balayage recommence"
	LogNextLater  = "Date suivante pas encore démarrée ; le balayage la démarre"
	LogStateLater = "État de l'import pas encore recopié dans etl.imports ; le balayage recommence"
	LogSlotFreed  = "Place d'exécution libérée : l'import qui la tenait est terminé"
)

// UnknownExecution refuses an execution, started by hand, of an import that the
// registry does not know.
const UnknownExecution = "le registre ne connaît pas cet import ; une exécution ne se démarre pas à la main : déposez les fichiers, " +
	"ou relancez un import connu par make redrive ou make restart"

// ForgedInput refuses an execution whose input does not match the registry.
func ForgedInput(importID string, mode etl.Mode, date string, generation int) string {
	return fmt.Sprintf("l'entrée de l'exécution n'est pas celle de l'import (mode %s, date %s, génération %d au registre) ; "+
		"une exécution ne se démarre pas à la main : make redrive IMPORT_ID=%s ou make restart IMPORT_ID=%s", mode, date, generation, importID, importID)
}

// ForeignExecution refuses an execution that is not the import's current one.
func ForeignExecution(importID string) string {
	return fmt.Sprintf("ce n'est pas l'exécution courante de l'import ; une exécution ne se démarre pas à la main et une ancienne ne se reprend pas : "+
		"make redrive IMPORT_ID=%s ou make restart IMPORT_ID=%s", importID, importID)
}

// RefusedNotCorrected refuses the automatic restart of an import whose refused files
// are not all replaced, or which has restarted this way too often.
const RefusedNotCorrected = "les fichiers refusés n'ont pas tous une version plus récente, ou l'import est déjà reparti trop souvent de lui-même : make restart"

// FilesCorrected states that an import restarts automatically once its refused files
// are corrected, or no longer does: used of limit such restarts were made.
func FilesCorrected(used, limit int) string {
	if used >= limit {
		return fmt.Sprintf("Aucune : l'import est déjà reparti %d fois de lui-même sur des fichiers corrigés.", used)
	}
	return fmt.Sprintf("Dès que chaque fichier refusé a une version plus récente (%d fois sur %d jusqu'ici).", used, limit)
}

// Accepted states that a person let an import exceed a limit. by is empty if the person
// is unknown.
func Accepted(what, by string) string {
	if by == "" {
		by = "identité inconnue"
	}
	return fmt.Sprintf("accepté : %s (%s)", Text(what), Text(by))
}

// RefusedAcceptMode refuses an acceptance with anything but a resume.
const RefusedAcceptMode = "une acceptation n'accompagne qu'une reprise (make redrive) : un redémarrage mesure tout de nouveau"

// RefusedAccept refuses an acceptance of something that nobody can accept.
func RefusedAccept(asked string, resources []string) string {
	return fmt.Sprintf("« %s » ne peut pas être accepté ; la forme est shrink=<table>, avec l'une de : %s", Text(asked), strings.Join(resources, ", "))
}
