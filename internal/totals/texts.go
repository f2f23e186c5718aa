package totals

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/message"
)

// Reasons why a control file is refused.
const (
	TooLarge      = "il dépasse 1 Mio"
	Syntax        = "ce n'est pas un objet JSON valide en UTF-8"
	UnknownMember = "un membre est inconnu ou manque (« files », puis par fichier « records », « bytes » et « sha256 »)"
	Duplicate     = "un membre ou un fichier y figure deux fois"
	BadName       = "un nom de fichier n'en est pas un (lettres, chiffres, « _ », « - » et « . », sans dossier)"
	BadNumber     = "« records » et « bytes » doivent être des entiers à partir de 0"
	BadHash       = "« sha256 » doit être de 64 chiffres hexadécimaux"
	NoFile        = "il ne nomme aucun fichier"
)

// FaultText refuses a control file and names the position of the fault.
func FaultText(reason string, offset int64) string {
	return fmt.Sprintf("le fichier de contrôle est illisible : %s (vers l'octet %s)", reason, message.Count(offset))
}

// RecordsDiffer reports that a file's number of records differs from its control total.
func RecordsDiffer(declared, found int64) string {
	return fmt.Sprintf("%s enregistrements annoncés, %s trouvés", message.Count(declared), message.Count(found))
}

// BytesDiffer reports that a file's size differs from its control total.
func BytesDiffer(declared, found int64) string {
	return fmt.Sprintf("%s octets annoncés, %s trouvés", message.Count(declared), message.Count(found))
}

// ContentDiffers reports that a file's content differs from its control total.
const ContentDiffers = "l'empreinte SHA-256 du contenu n'est pas celle annoncée"

// Differs refuses a file that differs from its control totals.
func Differs(differences []string) string {
	return "diffère du fichier de contrôle : " + strings.Join(differences, " ; ")
}

// OtherFiles refuses a control file that does not name exactly the files that
// are there. unnamed are those it does not name; absent are those it names that are not
// there; others is the number of further absent ones, which are not shown.
func OtherFiles(unnamed, absent []string, others int) string {
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
