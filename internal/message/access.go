package message

import (
	"fmt"

	"etl-dataloader/internal/etl"
)

// AccessDenied names the denied action, its object and the operation it was part of.
func AccessDenied(op, action, resource, detail string) string {
	on := ""
	if resource != "" {
		on = " sur " + resource
	}
	return fmt.Sprintf("Droit refusé : %s%s (pendant : %s ; %s). Accordez ce droit, puis reprenez l'import (redrive).", action, on, op, detail)
}

// KeyUnusable reports that an action failed because of the state of a KMS key.
func KeyUnusable(op, state, detail string) string {
	return fmt.Sprintf("Clé KMS inutilisable, état %s (pendant : %s ; %s). %s, puis reprenez l'import (redrive).", state, op, detail, mendKey(state))
}

// mendKey returns what makes a KMS key usable again.
func mendKey(state string) string {
	switch state {
	case "Disabled":
		return "Réactivez la clé (kms:EnableKey)"
	case "PendingDeletion":
		return "Annulez la suppression de la clé (kms:CancelKeyDeletion) et réactivez-la"
	case "NotFound":
		return "Vérifiez la clé, son compte et sa région"
	default:
		return "Rétablissez la clé"
	}
}

// PostgresAccess and PostgresLogin are the actions that PostgreSQL denies: using an
// object, or connecting at all.
const (
	PostgresAccess = "accès dans PostgreSQL"
	PostgresLogin  = "connexion à PostgreSQL"
)

// mendAccess returns what the operator must do about an import stopped by a missing
// permission or the state of a key. Nothing redrives it automatically.
func mendAccess(importID string, name etl.Fault) string {
	what := "Accordez le droit que la raison nomme (voir docs/deploy.md)"
	if name == etl.FaultKeyUnusable {
		what = "Rétablissez la clé KMS que la raison nomme"
	}
	return what + ", puis reprenez à l'étape en échec : make redrive IMPORT_ID=" + importID +
		" (ou « Redrive » dans la console Step Functions). Rien n'est repris automatiquement."
}

// Session names a PostgreSQL session by its process and its role.
func Session(pid int32, role string) string { return fmt.Sprintf("pid %d, rôle %q", pid, role) }

// MigrationRuns refuses a migration while another one runs.
const MigrationRuns = "une autre migration est en cours sur cette base ; attendez qu'elle finisse, puis redéployez"

// MigrationNeedsConnections refuses to migrate with too small a connection pool.
const MigrationNeedsConnections = "une migration demande deux connexions au moins"
