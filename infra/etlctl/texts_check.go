package main

import (
	"fmt"

	"etl-dataloader/internal/message"
	"etl-dataloader/internal/validation"
)

// About files that are checked before they are deposited.

// textCheckNoFile is the error of a file that cannot be read.
func textCheckNoFile(file string, err error) string {
	return "Le fichier " + message.Name(file) + " est illisible : " + errorText(err)
}

// textCheckNoDescriptor is the error of a descriptor that cannot be used.
func textCheckNoDescriptor(file string, err error) string {
	return "Le descripteur " + message.Name(file) + " est inutilisable : " + errorText(err)
}

// textCheckReordered notes that a file's columns are not in the contract's order.
func textCheckReordered(file string, columns []string) string {
	return message.Name(file) + " : " + validation.HeaderReordered + ". " + validation.HeaderOrder(columns)
}

// textCheckOpen notes that a relation could not be decided.
func textCheckOpen(file, field, parent string, records int64, absent bool) string {
	if absent {
		return fmt.Sprintf("%s : %s enreg. dont '%s' n'a pas été contrôlé : le fichier de '%s' n'est pas donné, ou est rejeté.",
			message.Name(file), message.Count(records), field, parent)
	}
	return fmt.Sprintf("%s : %s enreg. dont '%s' renvoie hors de ces fichiers : l'import les accepte si '%s' les contient déjà (--mode initial les rejette).",
		message.Name(file), message.Count(records), field, parent)
}

// Words of the tables about files that were checked.
const (
	textCheckColumnsFiles  = "Fichier|Lus|Valides|Rejetés|Erreurs|Statut"
	textCheckColumnsRules  = "Règle|Erreurs|Ressources"
	textCheckColumnsErrors = "Fichier|Ligne|Champ|Règle|Détail"
	textCheckTitleNotes    = "À noter"
)

// textCheckNotRegular is the error of a path to a folder or a device.
const textCheckNotRegular = "ce n'est pas un fichier ordinaire"

// textCheckHelp returns the help texts of `etlctl contract` by the names that its
// grammar uses.
func textCheckHelp() map[string]string {
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
