package main

import (
	"fmt"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// textBadDate is the error of a date that does not exist.
const textBadDate = "--date n'est pas une date du calendrier (AAAA-MM-JJ)."

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

// textNoTotals is the error when the control totals of an earlier delivery cannot be
// read.
const textNoTotals = "les totaux de contrôle de la livraison précédente sont illisibles"

// textTotals notes that the control totals of the files are uploaded first.
func textTotals(file string) string {
	return "Totaux de contrôle : " + file + ", déposé en premier."
}
