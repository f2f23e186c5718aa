package validation

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"etl-dataloader/internal/message"
	"etl-dataloader/internal/record"
)

// Reasons for which a file as a whole is rejected, see [FileFault].
const (
	FileEmpty      = "le fichier est vide"
	FileNoRecord   = "le fichier ne contient aucun enregistrement"
	FileCompressed = "le fichier est compressé (gzip, zip…) ou est un classeur : déposez le texte lui-même"
	FileFormat     = "le fichier n'a pas la forme de son format (tableau JSON, ou en-tête CSV)"
	FileLineEnds   = "l'en-tête contient un retour chariot (CR) isolé : les lignes doivent finir par LF ou CRLF"
	FileCRLines    = "des retours chariot (CR) isolés séparent les enregistrements : les lignes doivent finir par LF ou CRLF"
	FileLongHeader = "la première ligne est trop longue pour un en-tête"
	FileArray      = "le fichier est un tableau JSON, alors que son nom annonce un objet par ligne (.jsonl)"
	FilePretty     = "les objets JSON s'étendent sur plusieurs lignes, alors que le nom du fichier annonce un objet par ligne (.jsonl)"
)

// FileTooLarge refuses a file by its size, in bytes.
func FileTooLarge(bytes, limit int64) string {
	return fmt.Sprintf("le fichier a %s octets, plus que les %s admis (paramètre MaxFileBytes de la pile)", message.Count(bytes), message.Count(limit))
}

// FileNoValidRecord refuses a file that would empty its table because all its records
// are rejected.
func FileNoValidRecord(rejected int64) string {
	return fmt.Sprintf("aucun enregistrement valide : les %s enregistrements sont rejetés, et le rechargement viderait la table", message.Count(rejected))
}

// HeaderReordered is the log message about a file whose columns are not in the
// contract's order, which is accepted.
const HeaderReordered = "Colonnes dans un autre ordre que celui du contrat, acceptées"

// HeaderOrder lists the columns of a file in their order.
func HeaderOrder(columns []string) string {
	return "Ordre des colonnes du fichier : " + message.List(columns, ", ") + "."
}

// mostPlaces is how many positions a text lists at most.
const mostPlaces = 10

// FileReason returns the reason why a file is rejected as a whole. encoding is that of
// the contract.
func FileReason(encoding string, f *record.FileError) string {
	switch f.Reason {
	case record.ReasonEmpty:
		return FileEmpty
	case record.ReasonCompressed:
		return FileCompressed
	case record.ReasonHeader:
		return "l'en-tête diffère du contrat (" + foreignColumns(f) + ")"
	case record.ReasonMembers:
		return "les objets diffèrent du contrat (" + foreignColumns(f) + ")"
	case record.ReasonLineEnds:
		return FileLineEnds
	case record.ReasonCRLines:
		return FileCRLines
	case record.ReasonHeaderLength:
		return FileLongHeader
	case record.ReasonFormat:
		return FileFormat
	case record.ReasonArray:
		return FileArray
	case record.ReasonPretty:
		return FilePretty
	case record.ReasonCutOff:
		return fmt.Sprintf("le tableau JSON s'arrête à l'élément %d (octet %d), sans crochet fermant : fichier tronqué", f.Element, f.Offset)
	case record.ReasonBehind:
		return fmt.Sprintf("autre chose suit le tableau JSON, après l'élément %d (octet %d)", f.Element, f.Offset)
	case record.ReasonTokens:
		return fmt.Sprintf("le tableau JSON est illisible à partir de l'élément %d (octet %d) : guillemet ou crochet en trop ou manquant", f.Element, f.Offset)
	default:
		return FileEncoding(encoding)
	}
}

// FileEncoding is the reason of a file that is not in the contract's encoding.
func FileEncoding(encoding string) string {
	return "l'encodage n'est pas celui du contrat (" + strings.ToUpper(encoding) + ") ou l'en-tête est illisible"
}

// foreignColumns names the columns by which a file differs from the contract.
func foreignColumns(f *record.FileError) string {
	var parts []string
	if len(f.Missing) > 0 {
		parts = append(parts, "colonnes manquantes : "+message.List(f.Missing, ", "))
	}
	var extra, names []string
	for _, name := range f.Extra {
		names = append(names, ColumnName(name))
	}
	if names != nil {
		extra = append(extra, message.List(names, ", "))
	}
	if len(f.Hidden) > 0 {
		extra = append(extra, fmt.Sprintf("%d sans nom reconnu (%s)", len(f.Hidden), positions(f.Hidden)))
	}
	if len(f.Unnamed) > 0 {
		extra = append(extra, fmt.Sprintf("%d sans nom (%s)", len(f.Unnamed), positions(f.Unnamed)))
	}
	if extra != nil {
		parts = append(parts, "colonnes en trop : "+strings.Join(extra, ", "))
	}
	return strings.Join(parts, " ; ")
}

// positions lists the positions of columns or members.
func positions(places []int) string {
	texts := make([]string, 0, mostPlaces+1)
	for i, place := range places {
		if i == mostPlaces {
			texts = append(texts, "…")
			break
		}
		texts = append(texts, strconv.Itoa(place))
	}
	if len(places) == 1 {
		return "position " + texts[0]
	}
	return "positions " + strings.Join(texts, ", ")
}

// ColumnName returns the name of a column as texts show it. A name with white space or
// invisible characters is put in «…», with spaces shown as dots and the others as code
// points.
func ColumnName(name string) string {
	plain := func(r rune) bool { return r > ' ' && unicode.IsGraphic(r) && !unicode.IsSpace(r) }
	if name != "" && !strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		return name
	}
	var out strings.Builder
	out.WriteString("«")
	for _, r := range name {
		switch {
		case r == ' ':
			out.WriteRune('·')
		case plain(r):
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, "<%U>", r)
		}
	}
	out.WriteString("»")
	return out.String()
}

// WrongFields is the reason of a record whose fields are not those of the contract.
func WrongFields(d record.Detail) string {
	var parts []string
	if d.Expected > 0 {
		parts = append(parts, fmt.Sprintf("%d au lieu de %d", d.Fields, d.Expected))
	}
	if len(d.Repeated) > 0 {
		parts = append(parts, "répété : "+message.List(d.Repeated, ", "))
	}
	if len(d.Near) > 0 {
		parts = append(parts, "inconnu : "+message.List(d.Near, ", "))
	}
	if d.Hidden > 0 {
		parts = append(parts, fmt.Sprintf("%d sans nom reconnu (%s)", d.Hidden, positions(d.Positions)))
	}
	if parts == nil {
		return "La ligne n'a pas les champs attendus : leur nombre est faux, ou l'un est inconnu ou répété."
	}
	return "La ligne n'a pas les champs attendus : " + strings.Join(parts, " ; ") + "."
}
