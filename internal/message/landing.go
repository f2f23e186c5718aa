package message

import (
	"fmt"
	"strings"
)

// BadControlExtension refuses the name of a control file.
const BadControlExtension = "Le fichier de contrôle doit s'appeler « control_<AAAAMMJJ>.json »."

// BadFuture refuses a file with a date too far in the future, and names the day from
// which it is accepted.
func BadFuture(from string) string {
	return "La date est trop loin dans le futur (paramètre MaxFutureDays) : le fichier, s'il est encore là, sera pris en compte à partir du " + from + "."
}

// RefusedName is an object that was refused because of its name.
type RefusedName struct {
	Key    string
	Reason string // in French
}

// AlertBadNames reports all objects refused because of their names since the last such
// alert. It names the first of them; count is how many there are.
func AlertBadNames(first []RefusedName, count int) Alert {
	subject := "ETL-DataLoader : fichier refuse"
	var text strings.Builder
	if count == 1 {
		text.WriteString("Un fichier du dépôt est refusé pour son nom :\n\n")
	} else {
		subject = fmt.Sprintf("ETL-DataLoader : fichiers refuses (%d)", count)
		fmt.Fprintf(&text, "%s fichiers du dépôt sont refusés pour leur nom :\n\n", Count(int64(count)))
	}
	for _, n := range first {
		fmt.Fprintf(&text, "- %s : %s\n", Quoted(cut(Visible(cut(n.Key, itemBytes)), itemBytes)), n.Reason)
	}
	if more := count - len(first); more > 0 {
		fmt.Fprintf(&text, "-%s (voir le journal : « %s »)\n", others(more), LogBadName)
	}
	text.WriteString("\nÀ faire : déposez-les à nouveau sous un nom conforme, par exemple daily/client_data_20241008.csv, " +
		"et retirez les autres. Les autres fichiers ne sont pas concernés.")
	return Alert{Subject: subject, Text: text.String()}
}

// LogIncomplete is the log message about a date that lacks files although a later
// date is published.
const LogIncomplete = "Date incomplète, plus ancienne que les données publiées"

// DateMisses names the missing files of a date.
func DateMisses(date string, missing []string) string {
	return date + " : " + List(missing, ", ")
}

// AlertIncomplete reports dates that lack files although a later date is published.
func AlertIncomplete(dates []string) Alert {
	var text strings.Builder
	text.WriteString("Des fichiers sont arrivés pour des dates plus anciennes que les données publiées, et il en manque :\n\n")
	for _, d := range dates {
		text.WriteString("- " + Text(d) + "\n")
	}
	text.WriteString("\nÀ faire : déposez les fichiers manquants, l'import de la date démarre alors de lui-même ; ou retirez ceux qui sont là. " +
		"Les autres dates ne sont pas retenues. Cette alerte ne sera pas répétée pour ces dates.")
	return Alert{Subject: "ETL-DataLoader : date incomplete", Text: text.String()}
}
