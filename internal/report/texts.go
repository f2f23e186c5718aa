package report

// Texts of the report's page.
const (
	textTitle     = "Rapport d'import"
	textSummary   = "Résumé"
	textFiles     = "Fichiers"
	textSteps     = "Étapes"
	textAttempts  = "Tentatives"
	textFilesNote = "Pour chaque fichier : enregistrements lus = valides + rejetés. " +
		"Conservés : lignes d'une date plus récente, non remplacées. Ignorés : enregistrements d'un rechargement plus ancien que sa table. " +
		"Un tiret signifie que le chiffre n'est pas encore connu."
	textStepsNote   = "Durée : du premier lot au dernier. Travail : somme des durées des lots, qui avancent en parallèle."
	NoFiles         = "La liste des versions n'est pas encore arrêtée : aucun fichier n'est chargé."
	textSources     = "Sources d'enrichissement"
	textSourcesNote = "Pour chaque source : enregistrements demandés = enrichis + inconnus de la source + non enrichis. " +
		"Attentes : pauses faites parce que la source ne répondait pas. Travail : somme des durées des lots, qui avancent en parallèle. " +
		"Membres écartés : données de la source que le contrat ne prend pas."
	textReplays     = "Rejeux de l'enrichissement"
	textReplaysNote = "Ce qui a été redemandé après la publication. Ignorés : enregistrements qu'un import plus récent a changés. " +
		"Complétés : enregistrements dont un événement complète celui de l'import."
	textNotEnriched     = "Non enrichis"
	textNotEnrichedNote = "Leurs événements n'ont pas les champs de la source, et sont marqués."
	textWhatToDo        = "À faire"
	textBalanced        = "oui"
	textUnbalanced      = "non"
	textUnknown         = "—"
	textErrorsWhere     = "Le détail des erreurs est dans la table etl.errors et dans le journal central, par import_id."
	textGeneratedFor    = "Produit par ETL-DataLoader le"
)
