package message

import (
	"fmt"
	"strings"
	"time"

	"etl-dataloader/internal/etl"
)

// CtlHelp returns the help texts of etlctl by the name under which its grammar
// asks for them.
func CtlHelp() map[string]string {
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

// CtlHelpWords puts a help page into French.
func CtlHelpWords(page string) string {
	return strings.NewReplacer(
		"Usage: ", "Utilisation : ", "Arguments:", "Arguments :", "Flags:", "Options :", "Commands:", "Commandes :",
		"Show context-sensitive help.", "Montre cette aide.", "<command>", "<commande>", "[flags]", "[options]",
		"Run \"etlctl <command> --help\" for more information on a command.", "« etlctl <commande> --help » détaille une commande.",
	).Replace(page)
}

// argumentWords puts what is wrong with the arguments into French.
func argumentWords(reason string) string {
	return strings.NewReplacer(
		"missing flags", "options manquantes", "unknown flag", "option inconnue", "unexpected argument", "argument inattendu",
		"expected one of", "attendu, l'un de", "expected ", "attendu : ", "must be one of", "doit être parmi", " but got ", ", et non ",
		", did you mean", " ; est-ce", "missing positional arguments", "arguments manquants", "one of", "l'un de",
		"expected string value but got", "valeur attendue, et non", "invalid duration", "durée illisible",
		"unexpected flag argument", "argument inattendu de l'option",
	).Replace(reason)
}

// What etlctl says about its arguments and settings.
const (
	CtlNoRegion   = "La région AWS manque : lancez d'abord « make up » (pile locale), ou réglez AWS_REGION."
	CtlNoImportID = "L'identifiant de l'import est vide ; « etlctl status » liste les imports."
	CtlSeeHelp    = "« etlctl --help » montre les commandes."
)

// CtlBadArguments says that the command line was not understood.
func CtlBadArguments(reason string) string {
	return "Commande incomprise : " + strings.TrimRight(Text(argumentWords(reason)), ".?") + "."
}

// CtlBadDate says that a date is no date.
const CtlBadDate = "--date n'est pas une date du calendrier (AAAA-MM-JJ)."

// CtlNoSetting says that a setting is missing, and where it comes from.
func CtlNoSetting(name string) string {
	return "Le réglage " + name + " manque : lancez d'abord « make up » (pile locale), ou indiquez --stack NOM (compte AWS)."
}

// CtlNoDatabase says that the database is not known.
const CtlNoDatabase = "Le réglage DATABASE_URL manque : les erreurs se lisent dans PostgreSQL. " +
	"Lancez d'abord « make up » (pile locale), ou donnez l'adresse de la base."

// CtlNoStack says that a stack could not be read.
func CtlNoStack(stack string, err error) string {
	return "Les sorties de la pile " + Name(stack) + " sont illisibles : " + errorText(err)
}

// CtlNoOutput says that a stack lacks an output.
func CtlNoOutput(stack, output string) string {
	return "La pile " + Name(stack) + " n'a pas de sortie " + output + " : est-ce bien celle d'ETL-DataLoader ?"
}

// CtlFailed introduces an error that is not the operator's.
func CtlFailed(err error) string { return "Échec : " + errorText(err) }

// errorText is the text of an error, which may come from outside.
func errorText(err error) string { return Text(fmt.Sprint(err)) }

// ctlMode is the name of a mode within a sentence.
func ctlMode(mode etl.Mode) string {
	name, _, _ := strings.Cut(ModeName(mode), " ")
	return name
}

// About the files of a folder.

// CtlIgnored says that a file of the folder is left where it is.
func CtlIgnored(file, reason string) string {
	return "Ignoré : " + Name(file) + ". " + Text(reason)
}

// CtlNoFiles says that there is nothing to upload.
func CtlNoFiles(dir string) string {
	return "Le dossier " + Name(dir) + " ne contient aucun fichier du contrat (<type>_<AAAAMMJJ>.<csv|json|jsonl>)."
}

// CtlNoFolder says that a folder cannot be read.
func CtlNoFolder(dir string, err error) string {
	return "Le dossier " + Name(dir) + " est illisible : " + errorText(err)
}

// CtlSeveralDates says that a date must be chosen.
func CtlSeveralDates(dates []string) string {
	return "Le dossier contient plusieurs dates : " + List(dates, ", ") + ". Choisissez-en une avec --date."
}

// CtlTwoFiles says that a folder holds two files of one type.
func CtlTwoFiles(first, second string) string {
	return "Deux fichiers pour le même type et la même date : " + Name(first) + " et " + Name(second) + ". N'en gardez qu'un."
}

// About the upload.

// CtlUploading announces the upload.
func CtlUploading(files int, bytes, bucket, folder string) string {
	what := fmt.Sprintf("%d fichiers", files)
	if files == 1 {
		what = "1 fichier"
	}
	return fmt.Sprintf("Envoi de %s (%s) vers s3://%s/%s/", what, bytes, bucket, folder)
}

// CtlUploaded says that a file is uploaded.
func CtlUploaded(file, bytes string) string { return "  envoyé : " + Name(file) + " (" + bytes + ")" }

// CtlNotUploaded says that a file could not be uploaded.
func CtlNotUploaded(file string, err error) string {
	return "L'envoi de " + Name(file) + " a échoué : " + errorText(err)
}

// CtlUploadLabel stands before the progress of the upload.
const CtlUploadLabel = "Envoi"

// CtlUploadStopped says that the upload was interrupted.
const CtlUploadStopped = "Envoi interrompu : les fichiers déjà envoyés restent déposés ; relancez la même commande."

// CtlDeposited says that the files are there, for those who do not follow.
func CtlDeposited(mode etl.Mode, date string) string {
	return "Fichiers déposés. L'import " + ctlMode(mode) + " du " + date + " démarre de lui-même ; « etlctl status » le montre."
}

// CtlAlreadyDone refuses the files of a date that succeeded.
func CtlAlreadyDone(importID string, mode etl.Mode, date string) string {
	return "L'import " + ctlMode(mode) + " du " + date + " est déjà réussi (" + importID + ") : rien n'est envoyé, " +
		"car de nouveaux fichiers de cette date ne seraient pas chargés. Détail : make status IMPORT_ID=" + importID
}

// CtlAlreadyTaken says that an import has taken the very same files.
func CtlAlreadyTaken(importID string, mode etl.Mode, date string) string {
	return "Ces mêmes fichiers sont déjà ceux de l'import " + ctlMode(mode) + " du " + date + " (" + importID + ") : rien n'est envoyé."
}

// CtlInitialTooLate refuses a second initial import.
const CtlInitialTooLate = "Des données sont déjà publiées : un import initial ne démarre plus. Rien n'est envoyé."

// CtlSealedRunning warns that a running import will not read the files.
func CtlSealedRunning(importID string) string {
	return "L'import " + importID + " de cette date est en cours et sa liste de fichiers est arrêtée : " +
		"les fichiers envoyés maintenant ne compteront qu'après un redémarrage (make restart IMPORT_ID=" + importID + ")."
}

// CtlEarlierFailed announces that an import of the date failed before.
func CtlEarlierFailed(importID string, status etl.Status, step etl.Step, reason string) string {
	text := "Un import de cette date existe déjà : " + importID + ", « " + string(Text(status)) + " »"
	if step != "" {
		text += " à l'étape « " + string(Text(step)) + " »"
	}
	if reason != "" {
		text += ". " + Text(reason)
	}
	return text
}

// CtlWillResume announces that an import resumes once its files are there.
func CtlWillResume(importID string) string {
	return "L'import " + importID + " reprendra de lui-même dès que ses fichiers manquants seront là."
}

// CtlNeedsRestart says what makes corrected files count.
func CtlNeedsRestart(importID string) string {
	return "Les fichiers sont déposés, mais ils ne comptent qu'après un redémarrage : make restart IMPORT_ID=" + importID
}

// CtlNeedsRedrive says what makes files count that no list holds yet.
func CtlNeedsRedrive(importID string) string {
	return "Les fichiers sont déposés et compteront à la reprise : make redrive IMPORT_ID=" + importID
}

// CtlUnusedFiles says that a finished import did not read files that were uploaded.
func CtlUnusedFiles(importID string, files []string) string {
	return "Attention : l'import " + importID + " n'a pas lu les versions envoyées de : " + List(files, ", ") + "."
}

// Why a date waits.

// CtlWaiting says that a date waits, and for what.
func CtlWaiting(mode etl.Mode, date, reason string) string {
	return "Import " + ctlMode(mode) + " du " + date + " : « " + string(etl.StatusWaiting) + " ». " + reason
}

// CtlWaitingArrivals says that the system has not yet taken note of the files.
func CtlWaitingArrivals(known, all int) string {
	return fmt.Sprintf("Prise en compte des fichiers : %d sur %d.", known, all)
}

// CtlWaitsForFiles names the missing files.
func CtlWaitsForFiles(missing []string) string {
	return "Fichiers manquants : " + List(missing, ", ") + ". L'import démarre dès qu'ils sont déposés."
}

// CtlWaitsForRunning names the import that runs.
func CtlWaitsForRunning(importID string, mode etl.Mode, date string) string {
	return "Un seul import avance à la fois : " + importID + " (" + ctlMode(mode) + ", " + date + ") est en cours."
}

// CtlWaitsForFailed names the import that failed and holds up the others.
func CtlWaitsForFailed(importID string, mode etl.Mode, date string, status etl.Status) string {
	return "L'import antérieur " + importID + " (" + ctlMode(mode) + ", " + date + ") est « " + string(status) + " » : reprenez-le " +
		"(make redrive IMPORT_ID=" + importID + "), redémarrez-le (make restart) ou abandonnez-le (make abandon)."
}

// CtlWaitsForDate names an earlier date that misses files.
func CtlWaitsForDate(date string, missing []string) string {
	return "La date antérieure " + date + " passe d'abord, et il lui manque : " + List(missing, ", ") + "."
}

// CtlWaitsForInitial says that the history is not loaded.
const CtlWaitsForInitial = "Aucun import initial n'a encore réussi, et les imports quotidiens l'attendent."

// CtlWaitsForNothing says that a date is about to start.
const CtlWaitsForNothing = "Démarrage imminent."

// CtlNoMore ends a wait that only a person can end.
const CtlNoMore = "Rien n'avancera sans intervention : fin du suivi. Les fichiers restent déposés."

// About following.

// CtlImport announces an import.
func CtlImport(importID string, mode etl.Mode, date string, status etl.Status) string {
	return "Import " + importID + " (" + ctlMode(mode) + ", " + date + ") : « " + string(Text(status)) + " »"
}

// CtlAttempt announces an attempt.
func CtlAttempt(number int, kind etl.Kind, trigger etl.Trigger, generation int) string {
	return fmt.Sprintf("Tentative %d : %s (%s), génération %d", number, KindName(kind), TriggerName(trigger), generation)
}

// CtlNotAnswering says that the registry cannot be read for now.
func CtlNotAnswering(err error) string {
	return "Le registre ne répond pas, nouvel essai : " + errorText(err)
}

// CtlInterrupted says that following stopped, not the import.
func CtlInterrupted(importID string) string {
	if importID == "" {
		return "Suivi interrompu ; rien d'autre ne s'arrête. « etlctl status » montre les imports et les dates en attente."
	}
	return "Suivi interrompu ; l'import, lui, continue. Pour le suivre à nouveau : etlctl status " + importID + " --follow"
}

// CtlTimeout says that the time given is over.
func CtlTimeout(after time.Duration, importID string) string {
	return "Délai de " + Seconds(after.Seconds()) + " dépassé (--timeout). " + CtlInterrupted(importID)
}

// CtlReport says where the report is.
func CtlReport(location string) string { return "Rapport : " + location }

// CtlReportLate says where the report will be.
func CtlReportLate(location string) string { return "Rapport (pas encore écrit) : " + location }

// CtlResult is the last line of an import.
func CtlResult(importID string, status etl.Status, seconds float64) string {
	return "Import " + importID + " : « " + string(status) + " » en " + Seconds(seconds)
}

// CtlFailure tells where an import failed, why, and what to do.
func CtlFailure(step etl.Step, reason, whatToDo string) string {
	return "Étape    : " + string(Text(step)) + "\nRaison   : " + Text(reason) + "\nÀ faire  : " + Text(whatToDo)
}

// CtlErrorsHint says where the reasons of the rejects are.
func CtlErrorsHint(importID string) string {
	return "Détail des rejets : etlctl errors " + importID
}

// CtlUnitsOf is the progress of a state: units done, of those planned if known.
func CtlUnitsOf(done, planned int) string {
	if planned > 0 {
		return fmt.Sprintf("%d/%d lots", done, planned)
	}
	if done == 1 {
		return "1 lot"
	}
	return fmt.Sprintf("%d lots", done)
}

// CtlRecords is a number of records.
func CtlRecords(n int64) string { return Count(n) + " enreg." }

// CtlRate is a number of records a second.
func CtlRate(n int64) string { return Count(n) + "/s" }

// Titles of etlctl's tables.
const (
	CtlTitleFiles    = "Fichiers"
	CtlTitleSteps    = "Étapes"
	CtlTitleAttempts = "Tentatives"
	CtlTitleWaiting  = "Dates en attente"
	CtlTitleImports  = "Imports"
	CtlTitleRules    = "Erreurs par règle"
	CtlTitleErrors   = "Erreurs"
	CtlTotal         = "Total"
	CtlNone          = "—"
	CtlNoImports     = "Aucun import."
	CtlNoWaiting     = "Aucune date en attente."
)

// Columns of etlctl's tables, separated by "|".
const (
	CtlColumnsFiles    = "Fichier|Lus|Valides|Rejetés|Enrichis|Non enrichis|Persistés|Travail|Statut"
	CtlColumnsSteps    = "État|Étape|Lots|Enregistrements|Débit|Durée"
	CtlColumnsAttempts = "N°|Nature|Déclencheur|Date (UTC)|Génération|Étape de l'échec qui précède|Raison"
	CtlColumnsImports  = "Import|Mode|Date|Statut|Étape|Début (UTC)|Durée"
	CtlColumnsWaiting  = "Mode|Date|Statut|Raison"
	CtlColumnsRules    = "Règle|Erreurs|Enregistrements|Ressources"
	CtlColumnsErrors   = "Fichier|Ligne|Champ|Règle|Détail|Étape"
)

// CtlNoErrors says that no error fits.
const CtlNoErrors = "Aucune erreur."

// CtlErrorsOf heads the errors of an import.
func CtlErrorsOf(importID string, generation int) string {
	return fmt.Sprintf("Import %s, génération %d", importID, generation)
}

// CtlMoreErrors says that not all errors are shown.
func CtlMoreErrors(shown, all int64) string {
	return fmt.Sprintf("Erreurs montrées : %s sur %s ; --limit 0 les montre toutes.", Count(shown), Count(all))
}

// CtlNotInDatabase says that the database does not know an import.
func CtlNotInDatabase(importID string) string {
	return "La base ne connaît pas l'import " + Name(importID) + " : il n'existe pas, ou n'a encore rien chargé (make status IMPORT_ID=" + importID + ")."
}

// CtlRefused shows why a re-execution was not carried out.
func CtlRefused(text string) string {
	return "Demande refusée. " + strings.TrimSuffix(Text(text), ".") + "."
}

// CtlRerunFailed shows a fault of the function that re-executes.
func CtlRerunFailed(name, text string) string {
	return "La demande n'a pas abouti (" + Text(name) + ") : " + strings.TrimSuffix(Text(text), ".") + ". Elle peut être répétée."
}
