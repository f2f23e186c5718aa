package message

import (
	"fmt"
	"strings"
)

// LogReloadShrinks is the log message about a reload that removes a large share of its
// table's rows.
const LogReloadShrinks = "Rechargement : la table perd une grande part de ses lignes"

// Shrink states how many rows a reload would leave in a table.
func Shrink(resource string, before, after int64) string {
	return fmt.Sprintf("%s : %s lignes publiées, %s après le rechargement (%s en moins)",
		resource, Count(before), Count(after), Share(before-after, before))
}

// Shrinks is [Shrink] for the log. accepted means that a person accepted it; by is that
// person, if known.
func Shrinks(resource string, before, after int64, accepted bool, by string) string {
	text := Shrink(resource, before, after)
	switch {
	case accepted && by != "":
		return text + ", accepté par " + Text(by)
	case accepted:
		return text + ", accepté"
	default:
		return text
	}
}

// Implausible is the reason why reloads are not published. tables are texts of
// [Shrink], resources are their names, and limit is in percent.
func Implausible(importID string, tables, resources []string, limit int) string {
	accept := make([]string, len(resources))
	for i, r := range resources {
		accept[i] = " --accept shrink=" + r
	}
	return fmt.Sprintf("Import %s : rechargement invraisemblable : %s ; limite : %d\u00a0%% (paramètre MaxShrink de la pile). Rien n'a été publié. "+
		"Si c'est voulu : etlctl redrive %s%s. Sinon déposez des fichiers corrigés, puis recommencez l'import (restart).",
		importID, List(tables, " ; "), limit, importID, strings.Join(accept, ""))
}
