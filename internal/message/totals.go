package message

import "fmt"

// Reasons why a control file is refused.
const (
	ControlTooLarge  = "il dépasse 1 Mio"
	ControlSyntax    = "ce n'est pas un objet JSON valide en UTF-8"
	ControlMember    = "un membre est inconnu ou manque (« files », puis par fichier « records », « bytes » et « sha256 »)"
	ControlDuplicate = "un membre ou un fichier y figure deux fois"
	ControlName      = "un nom de fichier n'en est pas un (lettres, chiffres, « _ », « - » et « . », sans dossier)"
	ControlNumber    = "« records » et « bytes » doivent être des entiers à partir de 0"
	ControlHash      = "« sha256 » doit être de 64 chiffres hexadécimaux"
	ControlNoFile    = "il ne nomme aucun fichier"
)

// ControlFault refuses a control file and names the position of the fault.
func ControlFault(reason string, offset int64) string {
	return fmt.Sprintf("le fichier de contrôle est illisible : %s (vers l'octet %s)", reason, Count(offset))
}

// ControlRecords reports that a file's number of records differs from its control total.
func ControlRecords(declared, found int64) string {
	return fmt.Sprintf("%s enregistrements annoncés, %s trouvés", Count(declared), Count(found))
}

// ControlBytes reports that a file's size differs from its control total.
func ControlBytes(declared, found int64) string {
	return fmt.Sprintf("%s octets annoncés, %s trouvés", Count(declared), Count(found))
}

// ControlContent reports that a file's content differs from its control total.
const ControlContent = "l'empreinte SHA-256 du contenu n'est pas celle annoncée"
