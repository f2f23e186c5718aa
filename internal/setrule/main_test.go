package setrule

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	os.Exit(postgrestest.Run(m.Run, func(s *postgrestest.Server) { server = s }))
}

// The import whose records are judged.
const (
	importID = "IMPORT_20241009_150000_001"
	fileDate = "2024-10-08"
)

// leafOf is the table with the staged rows of a resource.
func leafOf(scope Scope, r *contract.Resource) postgres.Leaf {
	return postgres.Leaf{Kind: postgres.Staging, Resource: r.Name, ImportID: scope.ImportID, Generation: scope.Generation}
}

// transactionOf is the import's transaction in one of the test's own.
func transactionOf(tx pgx.Tx) *postgres.Tx {
	return postgres.NewTx(tx, postgres.Unit{ImportID: importID, Generation: 1})
}
