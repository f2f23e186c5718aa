// Package migrations embeds the SQL that creates and changes the schemas etl,
// staging, partitions and final. The files are goose migrations, applied in the
// order of their numbers, each in a transaction of its own; a file that was
// released is never edited, a change is a new file.
//
// The owner's login applies them. A new table of etl grants the group etl_loader what
// the product does with it, and a new function is revoked from PUBLIC; new tables of
// final and staging get their rights by default.
package migrations

import "embed"

// Files holds the migrations.
//
//go:embed *.sql
var Files embed.FS
