package message

import "etl-dataloader/internal/etl"

// Texts of the report's page.
const (
	ReportTitle     = "Rapport d'import"
	ReportSummary   = "Résumé"
	ReportFiles     = "Fichiers"
	ReportSteps     = "Étapes"
	ReportAttempts  = "Tentatives"
	ReportFilesNote = "Pour chaque fichier : enregistrements lus = valides + rejetés. " +
		"Conservés : lignes d'une date plus récente, non remplacées. Ignorés : enregistrements d'un rechargement plus ancien que sa table. " +
		"Un tiret signifie que le chiffre n'est pas encore connu."
	ReportStepsNote    = "Durée : du premier lot au dernier. Travail : somme des durées des lots, qui avancent en parallèle."
	ReportNoFiles      = "La liste des versions n'est pas encore arrêtée : aucun fichier n'est chargé."
	ReportWhatToDo     = "À faire"
	ReportBalanced     = "oui"
	ReportUnbalanced   = "non"
	ReportUnknown      = "—"
	ReportErrorsWhere  = "Le détail des erreurs est dans la table etl.errors et dans le journal central, par import_id."
	ReportGeneratedFor = "Produit par ETL-DataLoader le"
)

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
