package message

import (
	"fmt"
	"strings"
)

// BudgetExceeded is the reason of an import stopped because files have too many
// rejects.
func BudgetExceeded(importID string, files []string) string {
	return fmt.Sprintf("Import %s : trop de rejets : %s. Rien n'a été publié.", importID, List(files, " ; "))
}

// OverBudget states how many records of a file are rejected and how many may be. The
// limit is a number of rejects, a share (in millionths of the records read) that applies
// above shareFrom rejects, or both. A negative value means no limit.
func OverBudget(file string, rejected, read, maxRejects, maxMillionths, shareFrom int64) string {
	var limits []string
	if maxRejects >= 0 {
		limits = append(limits, Count(maxRejects))
	}
	if maxMillionths >= 0 {
		limit := percent(maxMillionths)
		if shareFrom > 0 {
			limit += " au-delà de " + Count(shareFrom) + " rejets"
		}
		limits = append(limits, limit)
	}
	return fmt.Sprintf("%s, %s rejetés sur %s lus (%s ; limite : %s)",
		file, Count(rejected), Count(read), Share(rejected, read), strings.Join(limits, " et "))
}

// StoppedEarly adds that the rest of a file with so many records was not checked.
func StoppedEarly(records int64) string {
	return ", contrôle arrêté avant la fin des " + Count(records) + " enregistrements du fichier"
}

// Share formats a part of a whole for people: 0 %; < 0,1 %; 31,2 %; 100 %. It is
// truncated, not rounded, so that only the whole is 100 %.
func Share(part, whole int64) string {
	const thousandths = 1000
	switch {
	case part == 0 || whole == 0:
		return "0\u00a0%"
	case part*thousandths < whole:
		return "<\u00a00,1\u00a0%"
	default:
		return percent(part * thousandths / whole * thousandths)
	}
}

// percent formats millionths as a percentage.
func percent(millionths int64) string {
	text := fmt.Sprintf("%d,%04d", millionths/10_000, millionths%10_000)
	return strings.TrimRight(strings.TrimRight(text, "0"), ",") + "\u00a0%"
}
