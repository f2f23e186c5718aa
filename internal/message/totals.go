package message

import "fmt"

// Control is why a control file is refused: one text a fault.
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

// ControlFault says what is wrong with a control file, and where.
func ControlFault(reason string, offset int64) string {
	return fmt.Sprintf("le fichier de contrôle est illisible : %s (vers l'octet %s)", reason, Count(offset))
}

// ControlRecords says that a file has other records than its control total.
func ControlRecords(declared, found int64) string {
	return fmt.Sprintf("%s enregistrements annoncés, %s trouvés", Count(declared), Count(found))
}

// ControlBytes says that a file has another size than its control total.
func ControlBytes(declared, found int64) string {
	return fmt.Sprintf("%s octets annoncés, %s trouvés", Count(declared), Count(found))
}

// ControlContent says that a file has another content than its control total.
const ControlContent = "l'empreinte SHA-256 du contenu n'est pas celle annoncée"

// ControlNotNamed says that the control file does not name a file.
const ControlNotNamed = "le fichier de contrôle ne le nomme pas"
