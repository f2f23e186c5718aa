package postgres

import (
	"fmt"
	"strings"
)

// alreadyPublished refuses to restart or abandon a published import.
const alreadyPublished = "déjà publié : il ne peut pas être abandonné, et seul un redémarrage forcé (FORCE=1) le recommence"

// otherErrors reports that the error table does not have what completed events resolve,
// which only a bug can cause.
func otherErrors(resource string, events, resolved int64) string {
	return fmt.Sprintf("%d événements de '%s' complétés, %d erreurs résolues dans etl.errors", events, resource, resolved)
}

// overPublished refuses to publish an initial import over what the import other has
// published.
func overPublished(other string) string {
	return fmt.Sprintf("la base contient déjà ce que l'import %s a publié, et un import initial l'effacerait ; rien n'a été publié. "+
		"Si c'est la bonne base, abandonnez cet import (abandon). Sinon indiquez une base vide (paramètre DatabaseSecretArn de la pile), puis recommencez-le (restart)", other)
}

// oldReaders is the reason why an initial import waits before it is published:
// sessions is how many sessions are still reading; who names the first of them.
func oldReaders(sessions int, who []string) string {
	return fmt.Sprintf("%d sessions PostgreSQL lisent la base depuis avant la fin du chargement et verraient l'import en partie (%s) ; terminez-les (pg_terminate_backend), puis reprenez",
		sessions, strings.Join(who, ", "))
}

// postgresAccess and PostgresLogin are the actions that PostgreSQL denies: using an
// object, or connecting at all.
const (
	postgresAccess = "accès dans PostgreSQL"
	postgresLogin  = "connexion à PostgreSQL"
)

// textSession names a PostgreSQL session by its process and its role.
func textSession(pid int32, role string) string { return fmt.Sprintf("pid %d, rôle %q", pid, role) }

// migrationRuns refuses a migration while another one runs.
const migrationRuns = "une autre migration est en cours sur cette base ; attendez qu'elle finisse, puis redéployez"

// migrationNeedsGroups refuses to migrate before the administrator has made the logins.
const migrationNeedsGroups = "les rôles etl_loader, etl_reader et etl_auditor n'existent pas tous dans PostgreSQL ; " +
	"faites exécuter infra/database/roles.sql par l'administrateur de la base (voir docs/deploy.md), puis redéployez"

// migrationNeedsConnections refuses to migrate with too small a connection pool.
const migrationNeedsConnections = "une migration demande deux connexions au moins"
