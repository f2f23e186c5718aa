package landing

// Log messages of intake.
const (
	logArrival   = "Fichier reçu"
	logWithdrawn = "Fichier retiré du dépôt"
)

// Reasons why a file name is refused.
const (
	BadFolder    = "Le fichier n'est ni dans « initial/ » ni dans « daily/ »."
	BadForm      = "Le nom n'a pas la forme « <type>_<AAAAMMJJ>.<ext> »."
	BadType      = "Le type de fichier est inconnu (majuscules et minuscules comptent)."
	BadDate      = "La date n'existe pas au calendrier."
	BadExtension = "L'extension n'est ni « csv », ni « json », ni « jsonl »."
)

// BadControlExtension refuses the name of a control file.
const BadControlExtension = "Le fichier de contrôle doit s'appeler « control_<AAAAMMJJ>.json »."

// BadFuture refuses a file with a date too far in the future, and names the day from
// which it is accepted.
func BadFuture(from string) string {
	return "La date est trop loin dans le futur (paramètre MaxFutureDays) : le fichier, s'il est encore là, sera pris en compte à partir du " + from + "."
}
