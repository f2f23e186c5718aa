package message

import (
	"fmt"
	"strings"
)

// BudgetExceeded explains why an import stopped after validation.
func BudgetExceeded(importID string, files []string) string {
	return fmt.Sprintf("Import %s : trop de rejets : %s. Rien n'a été publié.", importID, List(files, " ; "))
}

// OverBudget tells how many records of a file are rejected, and how many may be:
// a number of records, millionths of those read past a number of rejects, or both;
// a negative limit is none.
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

// StoppedEarly adds that the rest of a file was not looked at, which has so many
// records.
func StoppedEarly(records int64) string {
	return ", contrôle arrêté avant la fin des " + Count(records) + " enregistrements du fichier"
}

// Share shows a part of a whole as people read it: 0 %; < 0,1 %; 31,2 %; 100 %.
// It is cut, not rounded, so that 100 % is all of it.
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

// percent shows millionths.
func percent(millionths int64) string {
	text := fmt.Sprintf("%d,%04d", millionths/10_000, millionths%10_000)
	return strings.TrimRight(strings.TrimRight(text, "0"), ",") + "\u00a0%"
}
