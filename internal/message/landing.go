package message

import (
	"fmt"
	"strings"
)

// BadControlExtension is why the name of a control file is refused.
const BadControlExtension = "Le fichier de contrôle doit s'appeler « control_<AAAAMMJJ>.json »."

// BadFuture is why a file of a date that is too far in the future is refused, with
// the day on which it is looked at again.
func BadFuture(from string) string {
	return "La date est trop loin dans le futur (paramètre MaxFutureDays) : le fichier, s'il est encore là, sera pris en compte à partir du " + from + "."
}

// RefusedName is an object that was refused for its name.
type RefusedName struct {
	Key    string
	Reason string // in French
}

// AlertBadNames tells of all objects that were refused for their names since the
// last such alert: the first of them by name, and how many there are.
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

// LogIncomplete is the log message of a date that misses files although a later
// one is published.
const LogIncomplete = "Date incomplète, plus ancienne que les données publiées"

// DateMisses names the files that a date misses.
func DateMisses(date string, missing []string) string {
	return date + " : " + List(missing, ", ")
}

// AlertIncomplete tells of dates that miss files although a later one is
// published.
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
