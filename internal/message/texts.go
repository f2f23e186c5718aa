package message

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"etl-dataloader/internal/etl"
)

// cutMark ends a text that was cut.
const cutMark = " [coupé]"

// opening and closing are quotation marks.
const opening, closing = "«", "»"

// LogLateFile is the log message about a file that came too late to be used.
const LogLateFile = "Fichier ignoré : la liste des versions de l'import est déjà arrêtée"

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

// Refused reports that a request was not carried out, and why.
func Refused(importID, reason string) string {
	if importID == "" {
		return reason
	}
	return fmt.Sprintf("Import %s : %s", importID, reason)
}

// RefusedUnknown refuses an import_id that does not exist.
const RefusedUnknown = "cet import n'existe pas"

// KindName is the French name of the kind of an attempt.
func KindName(kind etl.Kind) string {
	switch kind {
	case etl.KindStart:
		return "démarrage"
	case etl.KindResume:
		return "reprise"
	case etl.KindContinue:
		return "continuation"
	case etl.KindRestart:
		return "redémarrage"
	case etl.KindAbandon:
		return "abandon"
	case etl.KindEnrich:
		return "rejeu de l'enrichissement"
	default:
		return string(kind)
	}
}

// TriggerName is the French name of what triggered an attempt.
func TriggerName(trigger etl.Trigger) string {
	switch trigger {
	case etl.TriggerFile:
		return "arrivée d'un fichier"
	case etl.TriggerDeadline:
		return "échéance"
	case etl.TriggerAutomatic:
		return "automatique"
	case etl.TriggerConsole:
		return "console"
	case etl.TriggerCommand:
		return "commande"
	default:
		return string(trigger)
	}
}

// ModeName is the French name of a mode.
func ModeName(mode etl.Mode) string {
	switch mode {
	case etl.ModeInitial:
		return "initial (tout l'historique)"
	case etl.ModeDaily:
		return "quotidien"
	default:
		return string(mode)
	}
}

// Causes lists why records are not enriched: how many for each code, the most frequent
// first. The central log and the tables show the codes.
func Causes(failed map[string]int64) string {
	codes := slices.SortedFunc(maps.Keys(failed), func(a, b string) int {
		return cmp.Or(cmp.Compare(failed[b], failed[a]), cmp.Compare(a, b))
	})
	causes := make([]string, len(codes))
	for i, code := range codes {
		causes[i] = Count(failed[code]) + " × " + CauseName(code)
	}
	return List(causes, ", ")
}

// CauseName is the French name of the cause with a code, and the code.
func CauseName(code string) string {
	name := causeName(code)
	if name == "" {
		return Item(code)
	}
	return name + " (" + code + ")"
}

func causeName(code string) string {
	switch code {
	case "timeout":
		return "pas de réponse à temps"
	case "unreachable":
		return "source injoignable"
	case "server_error":
		return "erreur de la source"
	case "throttled":
		return "trop d'appels pour la source"
	case "unauthorized":
		return "identifiants refusés"
	case "refused":
		return "appel refusé"
	case "invalid_answer":
		return "réponse non conforme"
	case "record_error":
		return "erreur sur l'enregistrement"
	case "no_result":
		return "clé absente de la réponse"
	case "unusable_key":
		return "clé inutilisable"
	default:
		return ""
	}
}
