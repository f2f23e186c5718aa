package main

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// textHelp returns the help texts of etlctl by the names that its grammar uses.
func textHelp() map[string]string {
	return map[string]string{
		"about": "Dépose les fichiers d'un import, suit les imports et les relance. " +
			"Réglages : variables d'environnement que « make up » écrit dans .local/env, ou --stack pour un compte AWS.",
		"stack":   "Pile CloudFormation dont les sorties donnent les réglages.",
		"timeout": "Durée maximale de la commande ; l'import, lui, continue.",

		"import":      "Dépose les dix fichiers d'un dossier, leurs totaux de contrôle en premier, et suit l'import jusqu'à sa fin.",
		"import_mode": "Mode de l'import : initial (tout l'historique) ou daily (les fichiers d'un jour).",
		"import_dir":  "Dossier des fichiers <type>_<AAAAMMJJ>.<csv|json|jsonl>.",
		"import_date": "Date des fichiers (AAAA-MM-JJ), si le dossier en contient plusieurs.",
		"no_follow":   "Rend la main sans suivre l'import.",

		"status":        "Montre un import ; sans identifiant, les imports récents et les dates en attente.",
		"status_follow": "Suit l'import jusqu'à sa fin.",
		"status_json":   "Écrit du JSON (celui de report.json pour un import).",
		"status_last":   "Nombre d'imports terminés à montrer.",
		"import_id":     "Identifiant de l'import, par exemple IMPORT_20241009_150000_001.",

		"redrive":  "Reprend un import à l'étape en échec.",
		"restart":  "Recommence un import depuis le début.",
		"force":    "Recommence même un import réussi ; ce qu'il a publié reste visible, puis est remplacé.",
		"continue": "Continue dans une nouvelle exécution, qui suit la définition actuelle de la machine, même si une reprise est possible.",
		"accept":   "Accepte une limite dépassée pour cet import, par exemple shrink=produits (une table qui perd beaucoup de lignes) ; peut être répété.",
		"abandon":  "Abandonne un import, pour que les dates suivantes avancent.",

		"enrich":           "Rejoue l'enrichissement d'un import publié : interroge de nouveau les sources pour les enregistrements non enrichis.",
		"enrich_source":    "N'interroge que cette source, par exemple clients ; par défaut toutes.",
		"enrich_no_follow": "Rend la main sans suivre le rejeu.",
		"enrich_timeout":   "Durée maximale de la commande ; le rejeu, lui, continue.",

		"errors":          "Montre les erreurs d'un import : le compte par règle, puis le détail.",
		"errors_file":     "Ne montre que ce fichier.",
		"errors_resource": "Ne montre que cette ressource, par exemple clients.",
		"errors_field":    "Ne montre que ce champ.",
		"errors_rule":     "Ne montre que cette règle, par exemple required.",
		"errors_limit":    "Nombre de lignes de détail ; 0 pour toutes. Par défaut 100 en tableau, toutes en CSV et JSON.",
		"errors_format":   "Forme du résultat : table, csv ou json.",
	}
}

// textHelpWords translates the fixed words of a help page into French.
func textHelpWords(page string) string {
	return strings.NewReplacer(
		"Usage: ", "Utilisation : ", "Arguments:", "Arguments :", "Flags:", "Options :", "Commands:", "Commandes :",
		"Show context-sensitive help.", "Montre cette aide.", "<command>", "<commande>", "[flags]", "[options]",
		"Run \"etlctl <command> --help\" for more information on a command.", "« etlctl <commande> --help » détaille une commande.",
	).Replace(page)
}

// argumentWords translates what is wrong with the arguments into French.
func argumentWords(reason string) string {
	return strings.NewReplacer(
		"missing flags", "options manquantes", "unknown flag", "option inconnue", "unexpected argument", "argument inattendu",
		"expected one of", "attendu, l'un de", "expected ", "attendu : ", "must be one of", "doit être parmi", " but got ", ", et non ",
		", did you mean", " ; est-ce", "missing positional arguments", "arguments manquants", "one of", "l'un de",
		"expected string value but got", "valeur attendue, et non", "invalid duration", "durée illisible",
		"unexpected flag argument", "argument inattendu de l'option",
	).Replace(reason)
}

// Texts about arguments and settings.
const (
	textNoRegion   = "La région AWS manque : lancez d'abord « make up » (pile locale), ou réglez AWS_REGION."
	textNoImportID = "L'identifiant de l'import est vide ; « etlctl status » liste les imports."
	textSeeHelp    = "« etlctl --help » montre les commandes."
)

// textBadArguments is the error of a command line that was not understood.
func textBadArguments(reason string) string {
	return "Commande incomprise : " + strings.TrimRight(message.Text(argumentWords(reason)), ".?") + "."
}

// textNoSetting is the error of a missing setting; it names where to set it.
func textNoSetting(name string) string {
	return "Le réglage " + name + " manque : lancez d'abord « make up » (pile locale), ou indiquez --stack NOM (compte AWS)."
}

// textNoStack is the error of a stack that could not be read.
func textNoStack(stack string, err error) string {
	return "Les sorties de la pile " + message.Name(stack) + " sont illisibles : " + errorText(err)
}

// textNoOutput is the error of a stack that lacks an output.
func textNoOutput(stack, output string) string {
	return "La pile " + message.Name(stack) + " n'a pas de sortie " + output + " : est-ce bien celle d'ETL-DataLoader ?"
}

// textFailed introduces an error that is not the operator's fault.
func textFailed(err error) string { return "Échec : " + errorText(err) }

// errorText returns the text of an error, which may come from outside.
func errorText(err error) string { return message.Text(fmt.Sprint(err)) }

// ctlMode returns the name of a mode for use within a sentence.
func ctlMode(mode etl.Mode) string {
	name, _, _ := strings.Cut(message.ModeName(mode), " ")
	return name
}

// Words of every table.
const (
	textTotal = "Total"
	textNone  = "—"
)
