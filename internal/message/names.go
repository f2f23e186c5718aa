package message

import "etl-dataloader/internal/etl"

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
