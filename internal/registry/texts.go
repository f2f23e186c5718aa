package registry

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/message"
)

// Unterminated is the log message and the note about an unterminated last line. The
// file is read regardless.
const Unterminated = "Dernière ligne sans fin de ligne : fichier peut-être tronqué"

// ReloadSkipped is the log message and the note about a reload that is not published.
const ReloadSkipped = "Rechargement ignoré : la table contient des données plus récentes"

// FileNotes returns the remarks about a file besides its counts: why it is refused,
// whether its last line is unterminated, how many rows of a later date it did not
// overwrite, and how many records a skipped reload did not load.
func FileNotes(file, refused string, unterminated bool, kept, skipped int64) []string {
	file = message.Text(file)
	var notes []string
	if refused != "" {
		notes = append(notes, CheckFault(file, refused))
	}
	if unterminated {
		notes = append(notes, file+" : "+Unterminated+".")
	}
	if skipped > 0 {
		notes = append(notes, fmt.Sprintf("%s : %s (%s enregistrements non publiés).", file, ReloadSkipped, message.Count(skipped)))
	}
	if kept > 0 {
		notes = append(notes, fmt.Sprintf("%s : %s lignes plus récentes conservées, non remplacées.", file, message.Count(kept)))
	}
	return notes
}

// CheckFault reports that a file would be rejected as a whole, and why.
func CheckFault(file, reason string) string {
	return "Fichier rejeté : " + message.Name(file) + " : " + strings.TrimSuffix(message.Text(reason), ".") + "."
}

// Accepted states that a person let an import exceed a limit. by is empty if the person
// is unknown.
func Accepted(what, by string) string {
	if by == "" {
		by = "identité inconnue"
	}
	return fmt.Sprintf("accepté : %s (%s)", message.Text(what), message.Text(by))
}
