package message

import (
	"fmt"
	"strings"
)

// About files that are checked before they are deposited.

// CheckTwoDates refuses files of two dates.
func CheckTwoDates(first, second string) string {
	return "Les fichiers sont de dates différentes : " + Name(first) + " et " + Name(second) + ". Contrôlez une date à la fois."
}

// CheckNoFile says that a file cannot be read.
func CheckNoFile(file string, err error) string {
	return "Le fichier " + Name(file) + " est illisible : " + errorText(err)
}

// CheckNoDescriptor says that a descriptor cannot be used.
func CheckNoDescriptor(file string, err error) string {
	return "Le descripteur " + Name(file) + " est inutilisable : " + errorText(err)
}

// CheckFault shows why a file as a whole would be rejected.
func CheckFault(file, reason string) string {
	return "Fichier rejeté : " + Name(file) + " : " + strings.TrimSuffix(Text(reason), ".") + "."
}

// CheckReordered says that a file's columns stand in another order.
func CheckReordered(file string, columns []string) string {
	return Name(file) + " : " + HeaderReordered + ". " + HeaderOrder(columns)
}

// CheckOpen says that a relation was not decided.
func CheckOpen(file, field, parent string, records int64, absent bool) string {
	if absent {
		return fmt.Sprintf("%s : %s enreg. dont '%s' n'a pas été contrôlé : le fichier de '%s' n'est pas donné, ou est rejeté.",
			Name(file), Count(records), field, parent)
	}
	return fmt.Sprintf("%s : %s enreg. dont '%s' renvoie hors de ces fichiers : l'import les accepte si '%s' les contient déjà (--mode initial les rejette).",
		Name(file), Count(records), field, parent)
}

// Words of the tables about files that were checked.
const (
	CheckColumnsFiles  = "Fichier|Lus|Valides|Rejetés|Erreurs|Statut"
	CheckColumnsRules  = "Règle|Erreurs|Ressources"
	CheckColumnsErrors = "Fichier|Ligne|Champ|Règle|Détail"
	CheckTitleNotes    = "À noter"
)

// CheckNotRegular says that a path leads to no file, but to a folder or a device.
const CheckNotRegular = "ce n'est pas un fichier ordinaire"

// CheckHelp returns the help texts of `etlctl contract` by the name under which
// its grammar asks for them.
func CheckHelp() map[string]string {
	return map[string]string{
		"contract":         "Travaille sur le contrat des fichiers.",
		"check":            "Contrôle des fichiers avant leur dépôt, sans AWS : mêmes règles et mêmes erreurs qu'un import. Code retour : 0 sans rejet, 1 avec rejets, 3 si un fichier est rejeté.",
		"check_files":      "Fichiers d'une même date, <type>_<AAAAMMJJ>.<csv|json|jsonl>. Leurs clés sont gardées en mémoire.",
		"check_mode":       "initial : toute relation doit tenir entre ces fichiers ; daily : un parent peut être déjà en base.",
		"check_format":     "Forme du résultat : table ou json.",
		"check_limit":      "Nombre d'erreurs montrées ; 0 pour toutes. Par défaut 100 en tableau, toutes en JSON.",
		"check_descriptor": "Autre descripteur que celui du programme, pour essayer un contrat avant de le déployer.",
	}
}
