package message

import (
	"fmt"
	"strings"
)

// InvalidFiles reports the files that are rejected as a whole, each with its name and
// reason. Reasons are cut where they would push a name out of the text; the status of
// each file holds the full reason.
func InvalidFiles(files [][2]string) string {
	const reasons = 450 // bytes of all reasons: ten names and the rest then fit into TextBytes
	texts := make([]string, len(files))
	for i, f := range files {
		texts[i] = f[0] + " : " + cut(f[1], reasons/max(len(files), 1))
	}
	what, file := "Fichier rejeté : ", "un fichier corrigé"
	if len(files) > 1 {
		what, file = fmt.Sprintf("%d fichiers rejetés : ", len(files)), "des fichiers corrigés"
	}
	return what + strings.Join(texts, " ; ") + ". Rien n'a été publié. Déposez " + file + " : l'import recommence alors de lui-même (sinon : restart)."
}

// FileTooLarge refuses a file by its size, in bytes.
func FileTooLarge(bytes, limit int64) string {
	return fmt.Sprintf("le fichier a %s octets, plus que les %s admis (paramètre MaxFileBytes de la pile)", Count(bytes), Count(limit))
}

// FileNoValidRecord refuses a file that would empty its table because all its records
// are rejected.
func FileNoValidRecord(rejected int64) string {
	return fmt.Sprintf("aucun enregistrement valide : les %s enregistrements sont rejetés, et le rechargement viderait la table", Count(rejected))
}

// LogUnterminated is the log message and the note about an unterminated last line. The
// file is read regardless.
const LogUnterminated = "Dernière ligne sans fin de ligne : fichier peut-être tronqué"

// FileNotes returns the remarks about a file besides its counts: why it is refused,
// whether its last line is unterminated, how many rows of a later date it did not
// overwrite, and how many records a skipped reload did not load.
func FileNotes(file, refused string, unterminated bool, kept, skipped int64) []string {
	file = Text(file)
	var notes []string
	if refused != "" {
		notes = append(notes, CheckFault(file, refused))
	}
	if unterminated {
		notes = append(notes, file+" : "+LogUnterminated+".")
	}
	if skipped > 0 {
		notes = append(notes, fmt.Sprintf("%s : %s (%s enregistrements non publiés).", file, ReloadSkipped, Count(skipped)))
	}
	if kept > 0 {
		notes = append(notes, fmt.Sprintf("%s : %s lignes plus récentes conservées, non remplacées.", file, Count(kept)))
	}
	return notes
}

// LogFileRefused is the log message about a file that is rejected as a whole.
const LogFileRefused = "Fichier rejeté"

// ControlDiffers refuses a file that differs from its control totals.
func ControlDiffers(differences []string) string {
	return "diffère du fichier de contrôle : " + strings.Join(differences, " ; ")
}

// ControlOtherFiles refuses a control file that does not name exactly the files that
// are there. unnamed are those it does not name; absent are those it names that are not
// there; others is the number of further absent ones, which are not shown.
func ControlOtherFiles(unnamed, absent []string, others int) string {
	var parts []string
	if len(unnamed) > 0 {
		parts = append(parts, "il ne nomme pas "+strings.Join(unnamed, ", "))
	}
	if len(absent) > 0 {
		parts = append(parts, "il nomme des fichiers absents : "+strings.Join(absent, ", "))
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("il nomme %d fichiers d'un type inconnu", others))
	}
	return strings.Join(parts, " ; ")
}

// CheckFault reports that a file would be rejected as a whole, and why.
func CheckFault(file, reason string) string {
	return "Fichier rejeté : " + Name(file) + " : " + strings.TrimSuffix(Text(reason), ".") + "."
}
