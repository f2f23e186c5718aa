package main

import (
	"fmt"
	"strings"
	"time"

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

// textBadDate is the error of a date that does not exist.
const textBadDate = "--date n'est pas une date du calendrier (AAAA-MM-JJ)."

// textNoSetting is the error of a missing setting; it names where to set it.
func textNoSetting(name string) string {
	return "Le réglage " + name + " manque : lancez d'abord « make up » (pile locale), ou indiquez --stack NOM (compte AWS)."
}

// textNoDatabase is the error when the database's address is not set.
const textNoDatabase = "Le réglage DATABASE_URL manque : les erreurs se lisent dans PostgreSQL. " +
	"Lancez d'abord « make up » (pile locale), ou donnez l'adresse de la base."

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

// About the files of a folder.

// textIgnored notes that a file of the folder is not uploaded.
func textIgnored(file, reason string) string {
	return "Ignoré : " + message.Name(file) + ". " + message.Text(reason)
}

// textNoFiles is the error when there is nothing to upload.
func textNoFiles(dir string) string {
	return "Le dossier " + message.Name(dir) + " ne contient aucun fichier du contrat (<type>_<AAAAMMJJ>.<csv|json|jsonl>)."
}

// textNoFolder is the error of a folder that cannot be read.
func textNoFolder(dir string, err error) string {
	return "Le dossier " + message.Name(dir) + " est illisible : " + errorText(err)
}

// textSeveralDates asks the operator to choose a date.
func textSeveralDates(dates []string) string {
	return "Le dossier contient plusieurs dates : " + message.List(dates, ", ") + ". Choisissez-en une avec --date."
}

// About the upload.

// textUploading announces the upload.
func textUploading(files int, bytes, bucket, folder string) string {
	what := fmt.Sprintf("%d fichiers", files)
	if files == 1 {
		what = "1 fichier"
	}
	return fmt.Sprintf("Envoi de %s (%s) vers s3://%s/%s/", what, bytes, bucket, folder)
}

// textUploaded notes that a file has been uploaded.
func textUploaded(file, bytes string) string {
	return "  envoyé : " + message.Name(file) + " (" + bytes + ")"
}

// textNotUploaded is the error of a file that could not be uploaded.
func textNotUploaded(file string, err error) string {
	return "L'envoi de " + message.Name(file) + " a échoué : " + errorText(err)
}

// textUploadLabel is the label of the upload's progress.
const textUploadLabel = "Envoi"

// textUploadStopped reports an interrupted upload.
const textUploadStopped = "Envoi interrompu : les fichiers déjà envoyés restent déposés ; relancez la même commande."

// textDeposited confirms the upload to those who do not follow the import.
func textDeposited(mode etl.Mode, date string) string {
	return "Fichiers déposés. L'import " + ctlMode(mode) + " du " + date + " démarre de lui-même ; « etlctl status » le montre."
}

// textAlreadyDone refuses the files of a date that succeeded.
func textAlreadyDone(importID string, mode etl.Mode, date string) string {
	return "L'import " + ctlMode(mode) + " du " + date + " est déjà réussi (" + importID + ") : rien n'est envoyé, " +
		"car de nouveaux fichiers de cette date ne seraient pas chargés. Détail : make status IMPORT_ID=" + importID
}

// textAlreadyTaken notes that an import has already taken these very files.
func textAlreadyTaken(importID string, mode etl.Mode, date string) string {
	return "Ces mêmes fichiers sont déjà ceux de l'import " + ctlMode(mode) + " du " + date + " (" + importID + ") : rien n'est envoyé."
}

// textInitialTooLate refuses a second initial import.
const textInitialTooLate = "Des données sont déjà publiées : un import initial ne démarre plus. Rien n'est envoyé."

// textSealedRunning warns that a running import will not read the files.
func textSealedRunning(importID string) string {
	return "L'import " + importID + " de cette date est en cours et sa liste de fichiers est arrêtée : " +
		"les fichiers envoyés maintenant ne compteront qu'après un redémarrage (make restart IMPORT_ID=" + importID + ")."
}

// textEarlierFailed announces that an import of the date failed before.
func textEarlierFailed(importID string, status etl.Status, step etl.Step, reason string) string {
	text := "Un import de cette date existe déjà : " + importID + ", « " + string(message.Text(status)) + " »"
	if step != "" {
		text += " à l'étape « " + string(message.Text(step)) + " »"
	}
	if reason != "" {
		text += ". " + message.Text(reason)
	}
	return text
}

// textWillResume announces that an import resumes once its files are there.
func textWillResume(importID string) string {
	return "L'import " + importID + " reprendra de lui-même dès que ses fichiers manquants seront là."
}

// textNeedsRestart asks for the restart that makes corrected files count.
func textNeedsRestart(importID string) string {
	return "Les fichiers sont déposés, mais ils ne comptent qu'après un redémarrage : make restart IMPORT_ID=" + importID
}

// textNeedsRedrive asks for the redrive that makes files count that are not sealed yet.
func textNeedsRedrive(importID string) string {
	return "Les fichiers sont déposés et compteront à la reprise : make redrive IMPORT_ID=" + importID
}

// textUnusedFiles warns that a finished import did not read some of the uploaded files.
func textUnusedFiles(importID string, files []string) string {
	return "Attention : l'import " + importID + " n'a pas lu les versions envoyées de : " + message.List(files, ", ") + "."
}

// Why a date waits.

// textWaiting notes that a date waits, and why.
func textWaiting(mode etl.Mode, date, reason string) string {
	return "Import " + ctlMode(mode) + " du " + date + " : « " + string(etl.StatusWaiting) + " ». " + reason
}

// textWaitingArrivals notes that the system has not yet recorded all files.
func textWaitingArrivals(known, all int) string {
	return fmt.Sprintf("Prise en compte des fichiers : %d sur %d.", known, all)
}

// textWaitsForFiles names the missing files.
func textWaitsForFiles(missing []string) string {
	return "Fichiers manquants : " + message.List(missing, ", ") + ". L'import démarre dès qu'ils sont déposés."
}

// textWaitsForRunning names the running import.
func textWaitsForRunning(importID string, mode etl.Mode, date string) string {
	return "Un seul import avance à la fois : " + importID + " (" + ctlMode(mode) + ", " + date + ") est en cours."
}

// textWaitsForFailed names the failed import that holds up the others.
func textWaitsForFailed(importID string, mode etl.Mode, date string, status etl.Status) string {
	return "L'import antérieur " + importID + " (" + ctlMode(mode) + ", " + date + ") est « " + string(status) + " » : reprenez-le " +
		"(make redrive IMPORT_ID=" + importID + "), redémarrez-le (make restart) ou abandonnez-le (make abandon)."
}

// textWaitsForDate names an earlier date that lacks files.
func textWaitsForDate(date string, missing []string) string {
	return "La date antérieure " + date + " passe d'abord, et il lui manque : " + message.List(missing, ", ") + "."
}

// textWaitsForInitial is the reason when the history is not loaded yet.
const textWaitsForInitial = "Aucun import initial n'a encore réussi, et les imports quotidiens l'attendent."

// textWaitsForNothing notes that a date is about to start.
const textWaitsForNothing = "Démarrage imminent."

// textNoMore ends a wait that only a person can end.
const textNoMore = "Rien n'avancera sans intervention : fin du suivi. Les fichiers restent déposés."

// About following.

// textImport announces an import.
func textImport(importID string, mode etl.Mode, date string, status etl.Status) string {
	return "Import " + importID + " (" + ctlMode(mode) + ", " + date + ") : « " + string(message.Text(status)) + " »"
}

// textAttempt announces an attempt.
func textAttempt(number int, kind etl.Kind, trigger etl.Trigger, generation int) string {
	return fmt.Sprintf("Tentative %d : %s (%s), génération %d", number, message.KindName(kind), message.TriggerName(trigger), generation)
}

// textNotAnswering warns that the registry is not answering.
func textNotAnswering(err error) string {
	return "Le registre ne répond pas, nouvel essai : " + errorText(err)
}

// textInterrupted notes that etlctl stopped following, and that the import goes on.
func textInterrupted(importID string) string {
	if importID == "" {
		return "Suivi interrompu ; rien d'autre ne s'arrête. « etlctl status » montre les imports et les dates en attente."
	}
	return "Suivi interrompu ; l'import, lui, continue. Pour le suivre à nouveau : etlctl status " + importID + " --follow"
}

// textTimeout reports that the time limit has passed.
func textTimeout(after time.Duration, importID string) string {
	return "Délai de " + message.Seconds(after.Seconds()) + " dépassé (--timeout). " + textInterrupted(importID)
}

// textReport gives the location of the report.
func textReport(location string) string { return "Rapport : " + location }

// textReportLate gives the location at which the report will be.
func textReportLate(location string) string { return "Rapport (pas encore écrit) : " + location }

// textResult is the last line of an import.
func textResult(importID string, status etl.Status, seconds float64) string {
	return "Import " + importID + " : « " + string(status) + " » en " + message.Seconds(seconds)
}

// textFailure states where an import failed, why, and what to do.
func textFailure(step etl.Step, reason, whatToDo string) string {
	return "Étape    : " + string(message.Text(step)) + "\nRaison   : " + message.Text(reason) + "\nÀ faire  : " + message.Text(whatToDo)
}

// textErrorsHint points to the command that shows why records were rejected.
func textErrorsHint(importID string) string {
	return "Détail des rejets : etlctl errors " + importID
}

// textUnitsOf formats the progress of a state: units done, and units planned if known.
func textUnitsOf(done, planned int) string {
	if planned > 0 {
		return fmt.Sprintf("%d/%d lots", done, planned)
	}
	if done == 1 {
		return "1 lot"
	}
	return fmt.Sprintf("%d lots", done)
}

// textRecords formats a number of records.
func textRecords(n int64) string { return message.Count(n) + " enreg." }

// textRate formats a number of records per second.
func textRate(n int64) string { return message.Count(n) + "/s" }

// Titles of etlctl's tables.
const (
	textTitleFiles    = "Fichiers"
	textTitleSteps    = "Étapes"
	textTitleAttempts = "Tentatives"
	textTitleWaiting  = "Dates en attente"
	textTitleImports  = "Imports"
	textTitleRules    = "Erreurs par règle"
	textTitleErrors   = "Erreurs"
	textTotal         = "Total"
	textNone          = "—"
	textNoImports     = "Aucun import."
	textNoWaiting     = "Aucune date en attente."
)

// Columns of etlctl's tables, separated by "|".
const (
	textColumnsFiles    = "Fichier|Lus|Valides|Rejetés|Enrichis|Non enrichis|Persistés|Travail|Statut"
	textColumnsSteps    = "État|Étape|Lots|Enregistrements|Débit|Durée"
	textColumnsAttempts = "N°|Nature|Déclencheur|Date (UTC)|Génération|Étape de l'échec qui précède|Raison"
	textColumnsImports  = "Import|Mode|Date|Statut|Étape|Début (UTC)|Durée"
	textColumnsWaiting  = "Mode|Date|Statut|Raison"
	textColumnsRules    = "Règle|Erreurs|Enregistrements|Ressources"
	textColumnsErrors   = "Fichier|Ligne|Champ|Règle|Détail|Étape"
)

// textNoErrors notes that no error matches the filters.
const textNoErrors = "Aucune erreur."

// textErrorsOf is the heading over the errors of an import.
func textErrorsOf(importID string, generation int) string {
	return fmt.Sprintf("Import %s, génération %d", importID, generation)
}

// textMoreErrors notes that not all errors are shown.
func textMoreErrors(shown, all int64) string {
	return fmt.Sprintf("Erreurs montrées : %s sur %s ; --limit 0 les montre toutes.", message.Count(shown), message.Count(all))
}

// textNotInDatabase is the error when the database does not know an import.
func textNotInDatabase(importID string) string {
	return "La base ne connaît pas l'import " + message.Name(importID) + " : il n'existe pas, ou n'a encore rien chargé (make status IMPORT_ID=" + importID + ")."
}

// textRefused reports that a re-execution was refused, and why.
func textRefused(text string) string {
	return "Demande refusée. " + strings.TrimSuffix(message.Text(text), ".") + "."
}

// textRerunFailed reports a fault of the function that re-executes imports.
func textRerunFailed(name, text string) string {
	return "La demande n'a pas abouti (" + message.Text(name) + ") : " + strings.TrimSuffix(message.Text(text), ".") + ". Elle peut être répétée."
}

// textNoTotals is the error when the control totals of an earlier delivery cannot be
// read.
const textNoTotals = "les totaux de contrôle de la livraison précédente sont illisibles"

// textTotals notes that the control totals of the files are uploaded first.
func textTotals(file string) string {
	return "Totaux de contrôle : " + file + ", déposé en premier."
}
