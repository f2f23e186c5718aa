package message

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
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

// mostPlaces is how many positions a text lists at most.
const mostPlaces = 10

// FileFault is what makes a file faulty as a whole.
type FileFault struct {
	Reason          string   // a reason of package record
	Encoding        string   // that of the contract
	Missing         []string // columns or members of the contract
	Extra           []string // foreign ones that may be shown
	Unnamed, Hidden []int    // positions of those without a name, and of those not shown
	Element, Offset int64    // in a JSON array: where reading ended
}

// FileReason returns the reason why a file is rejected as a whole.
func FileReason(f FileFault) string {
	switch f.Reason {
	case "empty":
		return FileEmpty
	case "compressed":
		return FileCompressed
	case "header":
		return "l'en-tête diffère du contrat (" + foreignColumns(f) + ")"
	case "members":
		return "les objets diffèrent du contrat (" + foreignColumns(f) + ")"
	case "line_ends":
		return FileLineEnds
	case "cr_lines":
		return FileCRLines
	case "header_length":
		return FileLongHeader
	case "format":
		return FileFormat
	case "array":
		return FileArray
	case "pretty":
		return FilePretty
	case "cut_off":
		return fmt.Sprintf("le tableau JSON s'arrête à l'élément %d (octet %d), sans crochet fermant : fichier tronqué", f.Element, f.Offset)
	case "behind":
		return fmt.Sprintf("autre chose suit le tableau JSON, après l'élément %d (octet %d)", f.Element, f.Offset)
	case "tokens":
		return fmt.Sprintf("le tableau JSON est illisible à partir de l'élément %d (octet %d) : guillemet ou crochet en trop ou manquant", f.Element, f.Offset)
	default:
		return FileEncoding(f.Encoding)
	}
}

// FileEncoding is the reason of a file that is not in the contract's encoding.
func FileEncoding(encoding string) string {
	return "l'encodage n'est pas celui du contrat (" + strings.ToUpper(encoding) + ") ou l'en-tête est illisible"
}

// foreignColumns names the columns by which a file differs from the contract.
func foreignColumns(f FileFault) string {
	var parts []string
	if len(f.Missing) > 0 {
		parts = append(parts, "colonnes manquantes : "+List(f.Missing, ", "))
	}
	var extra, names []string
	for _, name := range f.Extra {
		names = append(names, ColumnName(name))
	}
	if names != nil {
		extra = append(extra, List(names, ", "))
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

// FieldsFault is what is wrong with the fields of a record.
type FieldsFault struct {
	Found, Expected int      // CSV: numbers of fields; 0: not known
	Repeated        []string // JSON: members that occur twice
	Near            []string // JSON: unknown members with almost the name of a column
	Hidden          int      // JSON: number of the other unknown members
	Positions       []int    // JSON: positions of the first of those
}

// WrongFields is the reason of a record whose fields are not those of the contract.
func WrongFields(f FieldsFault) string {
	var parts []string
	if f.Expected > 0 {
		parts = append(parts, fmt.Sprintf("%d au lieu de %d", f.Found, f.Expected))
	}
	if len(f.Repeated) > 0 {
		parts = append(parts, "répété : "+List(f.Repeated, ", "))
	}
	if len(f.Near) > 0 {
		parts = append(parts, "inconnu : "+List(f.Near, ", "))
	}
	if f.Hidden > 0 {
		parts = append(parts, fmt.Sprintf("%d sans nom reconnu (%s)", f.Hidden, positions(f.Positions)))
	}
	if parts == nil {
		return "La ligne n'a pas les champs attendus : leur nombre est faux, ou l'un est inconnu ou répété."
	}
	return "La ligne n'a pas les champs attendus : " + strings.Join(parts, " ; ") + "."
}
