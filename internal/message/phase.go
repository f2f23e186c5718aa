package message

import (
	"fmt"
	"strings"
)

// Messages of the central log, one for what each phase of an import does.
const (
	FilesMissing        = "Fichiers manquants"
	ImportOpened        = "Import ouvert, liste des fichiers scellée"
	FileScanned         = "Fichier vérifié et découpé"
	ImportPlanned       = "Plan de chargement établi"
	ChunkProtected      = "Lot tokenisé et chiffré"
	ChunkStaged         = "Lot persisté"
	ChunkValidated      = "Lot validé"
	StagingIndexed      = "Données brutes indexées"
	ResourceChecked     = "Contrôles croisés terminés"
	ChunkTransformed    = "Lot transformé en événements"
	ChunkPrepared       = "Événements du lot persistés"
	TargetIndexed       = "Table cible indexée"
	ImportReconciled    = "Comptes et sommes de contrôle vérifiés"
	ImportPublished     = "Import publié"
	ValidationError     = "Erreur de validation des données"
	EnrichmentError     = "Échec de l'enrichissement"
	ReloadSkipped       = "Rechargement ignoré : la table contient des données plus récentes"
	ProgressNotRecorded = "Avancement non enregistré"
	Incoherence         = "Incohérence détectée entre tables"
	EventPersisted      = "Événement persisté"
)

// NotEnriched is the reason why a record has no enriched fields. code is what the
// source answered, never a value.
func NotEnriched(source, code string) string {
	return fmt.Sprintf("La source d'enrichissement '%s' n'a pas répondu (%s) : l'événement est publié sans ces champs et marqué.", source, code)
}

// NewerRowsKept states how many newer rows an older file did not overwrite.
func NewerRowsKept(resource string, rows int64) string {
	return fmt.Sprintf("%s : %d lignes plus récentes conservées", resource, rows)
}

// OrphanRows describes an incoherence between published tables.
func OrphanRows(rows int64, resource, field, parent string) string {
	return fmt.Sprintf("%d lignes de %s désignent par '%s' une ligne absente de %s", rows, resource, field, parent)
}

// AlreadyPublished refuses to restart or abandon a published import.
const AlreadyPublished = "déjà publié : il ne peut pas être abandonné, et seul un redémarrage forcé (FORCE=1) le recommence"

// SlotTaken refuses to run an import while another one runs.
func SlotTaken(holder string) string {
	return fmt.Sprintf("l'import %s est en cours ou en échec, un seul import à la fois : terminez-le ou abandonnez-le d'abord", holder)
}

// OldReaders is the reason why an initial import waits before it is published:
// sessions is how many sessions are still reading; who names the first of them.
func OldReaders(sessions int, who []string) string {
	return fmt.Sprintf("%d sessions PostgreSQL lisent la base depuis avant la fin du chargement et verraient l'import en partie (%s) ; terminez-les (pg_terminate_backend), puis reprenez",
		sessions, strings.Join(who, ", "))
}

// Reasons for which a work object is refused.
const (
	OtherSchema  = "il a été écrit pour d'autres colonnes"
	OtherContent = "son contenu n'est pas celui qui a été écrit"
)

// AlertIncoherence reports the relations of the published tables that do not hold.
func AlertIncoherence(importID string, found []string) Alert {
	return Alert{
		Subject: "ETL-DataLoader : incoherence " + importID,
		Text: fmt.Sprintf("Import %s publié, mais des tables sont incohérentes :\n- %s\n\nÀ faire : consultez etl.incoherences et corrigez les fichiers de référence du prochain jour.",
			importID, List(found, "\n- ")),
	}
}
