package message

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
func KindName(kind string) string {
	switch kind {
	case "start":
		return "démarrage"
	case "resume":
		return "reprise"
	case "continue":
		return "continuation"
	case "restart":
		return "redémarrage"
	case "abandon":
		return "abandon"
	default:
		return kind
	}
}

// TriggerName is the French name of what triggered an attempt.
func TriggerName(trigger string) string {
	switch trigger {
	case "file":
		return "arrivée d'un fichier"
	case "deadline":
		return "échéance"
	case "automatic":
		return "automatique"
	case "console":
		return "console"
	case "command":
		return "commande"
	default:
		return trigger
	}
}

// ModeName is the French name of a mode.
func ModeName(mode string) string {
	switch mode {
	case "initial":
		return "initial (tout l'historique)"
	case "daily":
		return "quotidien"
	default:
		return mode
	}
}
