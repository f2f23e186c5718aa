package alert

import (
	"fmt"
	"strings"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// LogBadName is the log message about an object with a refused name. An alert that
// cannot name all such objects refers to it.
const LogBadName = "Fichier refusé : nom non conforme"

// Deadline reports that files are missing at the deadline while the import of
// that date is still waiting for its turn.
func Deadline(date string, missing []string, waitsFor string) Alert {
	text := fmt.Sprintf("À l'échéance, des fichiers du %s manquent : %s.\n", date, message.List(missing, ", "))
	if waitsFor != "" {
		text += "L'import de cette date attend la fin d'un import antérieur : " + waitsFor + "."
	}
	return Alert{Subject: "ETL-DataLoader : fichiers manquants " + date, Text: text}
}

// Failed reports a failed import: where and why it failed, what to do, and what
// the system does automatically. automatic may be empty.
func Failed(importID string, step etl.Step, reason, whatToDo, automatic, report string) Alert {
	if automatic != "" {
		automatic = "Reprise automatique : " + automatic + "\n"
	}
	return Alert{
		Subject: "ETL-DataLoader : import en echec " + importID,
		Text: fmt.Sprintf("Import : %s\nStatut : %s\nÉtape : %s\nRaison : %s\n\n%sÀ faire : %s\nRapport : %s\n",
			importID, etl.StatusFailed, step, message.Text(reason), automatic, message.Text(whatToDo), message.Text(report)),
	}
}

// Succeeded reports an import that succeeded, and how many of its records are not
// enriched.
func Succeeded(importID string, mode etl.Mode, date, report string, notEnriched int64) Alert {
	enrichment := ""
	if notEnriched > 0 {
		enrichment = fmt.Sprintf("Non enrichis : %s (leurs événements n'ont pas les champs de la source, et sont marqués)\n", message.Count(notEnriched))
	}
	return Alert{
		Subject: "ETL-DataLoader : import reussi " + importID,
		Text: fmt.Sprintf("Import : %s\nMode : %s\nDate des fichiers : %s\nStatut : %s\n%sRapport : %s\n",
			importID, mode, date, etl.StatusSucceeded, enrichment, message.Text(report)),
	}
}

// BadNames reports all objects refused because of their names since the last such
// alert. It names the first of them; count is how many there are.
func BadNames(first []RefusedName, count int) Alert {
	subject := "ETL-DataLoader : fichier refuse"
	var text strings.Builder
	if count == 1 {
		text.WriteString("Un fichier du dépôt est refusé pour son nom :\n\n")
	} else {
		subject = fmt.Sprintf("ETL-DataLoader : fichiers refuses (%d)", count)
		fmt.Fprintf(&text, "%s fichiers du dépôt sont refusés pour leur nom :\n\n", message.Count(int64(count)))
	}
	for _, n := range first {
		fmt.Fprintf(&text, "- %s : %s\n", message.Quoted(message.Item(n.Key)), n.Reason)
	}
	if more := count - len(first); more > 0 {
		fmt.Fprintf(&text, "-%s (voir le journal : « %s »)\n", message.Others(more), LogBadName)
	}
	text.WriteString("\nÀ faire : déposez-les à nouveau sous un nom conforme, par exemple daily/client_data_20241008.csv, " +
		"et retirez les autres. Les autres fichiers ne sont pas concernés.")
	return Alert{Subject: subject, Text: text.String()}
}

// Incomplete reports dates that lack files although a later date is published.
func Incomplete(dates []string) Alert {
	var text strings.Builder
	text.WriteString("Des fichiers sont arrivés pour des dates plus anciennes que les données publiées, et il en manque :\n\n")
	for _, d := range dates {
		text.WriteString("- " + message.Text(d) + "\n")
	}
	text.WriteString("\nÀ faire : déposez les fichiers manquants, l'import de la date démarre alors de lui-même ; ou retirez ceux qui sont là. " +
		"Les autres dates ne sont pas retenues. Cette alerte ne sera pas répétée pour ces dates.")
	return Alert{Subject: "ETL-DataLoader : date incomplete", Text: text.String()}
}

// Incoherence reports the relations of the published tables that do not hold.
func Incoherence(importID string, found []string) Alert {
	return Alert{
		Subject: "ETL-DataLoader : incoherence " + importID,
		Text: fmt.Sprintf("Import %s publié, mais des tables sont incohérentes :\n- %s\n\nÀ faire : consultez etl.incoherences et corrigez les fichiers de référence du prochain jour.",
			importID, message.List(found, "\n- ")),
	}
}

// SourceSilent reports that a source has spent half of an import's patience without any
// answer: since of patience. cause is the code of the last failure.
func SourceSilent(importID, source, cause string, since, patience time.Duration) Alert {
	return Alert{
		Subject: "ETL-DataLoader : source sans reponse " + importID,
		Text: fmt.Sprintf("Import : %s\nSource d'enrichissement : %s\nSans réponse depuis : %s\nCause : %s\n\n"+
			"L'import attend de lui-même et interroge la source à intervalles réguliers : il repart dès qu'elle répond, sans reprise. "+
			"Quand elle sera restée sans réponse %s au total, les enregistrements qui restent seront publiés non enrichis, marqués comme tels, et l'import continuera.\n\n"+
			"À faire : vérifiez la source (service, réseau, identifiants). Cette alerte ne sera pas répétée pour cette source et cet import.\n",
			importID, message.Text(source), message.Seconds(since.Seconds()), message.CauseName(cause), message.Seconds(patience.Seconds())),
	}
}

// NotEnriched reports that records were published without the fields of a source: how
// many, and how many for each cause.
func NotEnriched(importID, source string, count int64, causes map[string]int64) Alert {
	return Alert{
		Subject: "ETL-DataLoader : enregistrements non enrichis " + importID,
		Text: fmt.Sprintf("Import : %s\nSource d'enrichissement : %s\nNon enrichis : %s\nCauses : %s\n\n"+
			"Ces enregistrements sont publiés sans les champs de la source, et marqués (enrichment = '%s' dans final.events). "+
			"La table etl.errors les liste avec leur cause (rule = 'enrichment').\n\n"+
			"À faire : vérifiez la source avant le prochain import, ou les enregistrements s'il s'agit d'erreurs de quelques-uns. "+
			"L'import est réussi : aucune reprise n'est nécessaire. Pour les enrichir après coup, quand la source répond : make enrich IMPORT_ID=%s\n",
			importID, message.Text(source), message.Count(count), message.Causes(causes), etl.EnrichmentFailed, importID),
	}
}

// Replayed reports the end of a replay: how many records it completed, and how many of the
// import are still not enriched.
func Replayed(importID, source string, completed, left int64) Alert {
	todo := "Il n'en reste aucun : rien à faire."
	if left > 0 {
		todo = "À faire : vérifiez la source, puis redemandez le rejeu : make enrich IMPORT_ID=" + importID + ". " +
			"Les enregistrements qu'un import plus récent a changés ne sont pas complétés, et restent comptés."
	}
	return Alert{
		Subject: "ETL-DataLoader : rejeu termine " + importID,
		Text:    replayText(importID, source, completed, left) + "\n" + todo + "\n",
	}
}

// ReplayFailed reports that a replay failed, and why.
func ReplayFailed(importID, source, reason string, completed, left int64) Alert {
	return Alert{
		Subject: "ETL-DataLoader : rejeu en echec " + importID,
		Text: replayText(importID, source, completed, left) + "Raison : " + message.Text(reason) + "\n\n" +
			"À faire : corrigez la cause, puis redemandez le rejeu, qui reprend où il s'est arrêté : make enrich IMPORT_ID=" + importID + "\n",
	}
}

func replayText(importID, source string, completed, left int64) string {
	if source == "" {
		source = "toutes"
	}
	return fmt.Sprintf("Import : %s\nSource d'enrichissement : %s\nComplétés par ce rejeu : %s\nEncore non enrichis : %s\n",
		importID, message.Text(source), message.Count(completed), message.Count(left))
}

// RevealBound tells that somebody asked for more values than a day allows.
func RevealBound(by string, used, most int) Alert {
	return Alert{
		Subject: "ETL-DataLoader : limite de lecture depassee",
		Text: fmt.Sprintf("Lecture de valeurs refusée : la limite du jour est de %d enregistrements, dont %d déjà lus.\nDemandeur : %s\n"+
			"Les demandes et leurs motifs sont dans etl.audit (action reveal).\n", most, used, by),
	}
}
