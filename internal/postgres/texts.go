package postgres

import (
	"fmt"
	"strings"
)

// alreadyPublished refuses to restart or abandon a published import.
const alreadyPublished = "déjà publié : il ne peut pas être abandonné, et seul un redémarrage forcé (FORCE=1) le recommence"

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

// migrationNeedsConnections refuses to migrate with too small a connection pool.
const migrationNeedsConnections = "une migration demande deux connexions au moins"
