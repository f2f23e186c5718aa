package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Kind is what a detached table will become a partition of.
type Kind string

const (
	// Staging leaves hold the raw records of a resource.
	Staging Kind = "staging"
	// Target leaves hold the typed records of a resource.
	Target Kind = "target"
	// Events leaves hold the prepared events of a whole import (resource ""). In
	// initial mode they are published as they are.
	Events Kind = "events"
	// Published leaves hold the events of a daily import as readers see them.
	Published Kind = "published"
)

// Leaf is a table in the schema partitions that is filled while it is detached. It
// holds the rows of one import, at one generation, for a partitioned table.
type Leaf struct {
	Kind       Kind
	Resource   string // empty for Events
	ImportID   string
	Generation int
}

// maxIdentifier is the longest name, in bytes, that PostgreSQL does not silently
// truncate (NAMEDATALEN - 1; PostgreSQL manual, "Identifiers and Key Words").
const maxIdentifier = 63

// Name returns the leaf's table name in the schema partitions, at most 63 bytes long.
// If the resource's name is too long, it is replaced by its beginning and a hash of
// the whole. The name ends with import and generation, by which leaves are found.
func (l Leaf) Name() string {
	id := strings.ToLower(strings.TrimPrefix(l.ImportID, "IMPORT_"))
	end := fmt.Sprintf("_%s_g%d", id, l.Generation)
	if l.Resource == "" {
		return string(l.Kind) + end
	}
	return string(l.Kind) + "_" + short(l.Resource, maxIdentifier-len(l.Kind)-1-len(end)) + end
}

// short returns name if it has at most limit bytes, else its beginning followed by
// the first 64 bits of the SHA-256 of the whole, in hexadecimal.
func short(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := "_" + hex.EncodeToString(sum[:8])
	return strings.ToValidUTF8(name[:max(limit-len(hash), 0)], "") + hash
}

// Table returns the leaf's quoted, qualified name.
func (l Leaf) Table() string { return pgx.Identifier{"partitions", l.Name()}.Sanitize() }

// Parent returns the quoted, qualified name of the partitioned table.
func (l Leaf) Parent() string {
	switch l.Kind {
	case Staging:
		return pgx.Identifier{"staging", l.Resource}.Sanitize()
	case Target:
		return pgx.Identifier{"final", l.Resource}.Sanitize()
	default:
		return `final.events`
	}
}

// Source is the common origin of all rows of a leaf.
type Source struct {
	FileDate string // YYYY-MM-DD
	FileType string // of staging leaves
	File     string // of staging leaves: the object's name
}

// Create creates the leaf as an empty, detached table without indexes, unless it
// exists. Values that all its rows share are column defaults, so that no stream
// repeats them. Leaves that are attached by import carry the check constraint that
// lets ATTACH PARTITION skip its scan. While the leaf is being filled, autovacuum is
// off.
func (l Leaf) Create(ctx context.Context, tx *Tx, from Source) error {
	check := ""
	if l.Kind != Target {
		check = fmt.Sprintf(", CHECK (import_id = %s)", QuoteLiteral(l.ImportID))
	}
	_, err := tx.tx.Exec(ctx, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s (LIKE %s INCLUDING CONSTRAINTS%s) WITH (autovacuum_enabled = off); ALTER TABLE %s %s`,
		l.Table(), l.Parent(), check, l.Table(), strings.Join(l.defaults(from), ", ")))
	return err
}

// defaults returns the defaults of the columns that no stream contains.
func (l Leaf) defaults(from Source) []string {
	columns := []string{"import_id", "generation", "file_date"}
	values := []string{l.ImportID, strconv.Itoa(l.Generation), from.FileDate}
	if l.Kind == Staging {
		columns, values = append(columns, "file_type", "file"), append(values, from.FileType, from.File)
	}
	for i, value := range values {
		columns[i] = fmt.Sprintf("ALTER COLUMN %s SET DEFAULT %s", columns[i], QuoteLiteral(value))
	}
	return columns
}

// release turns autovacuum back on for a leaf that is about to be published. A
// staging leaf never changes again, so there is nothing to vacuum.
func (l Leaf) release(ctx context.Context, tx *Tx) error {
	if l.Kind == Staging {
		return nil
	}
	_, err := tx.tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE %s RESET (autovacuum_enabled)`, l.Table()))
	return err
}

// Drop drops the leaf, attached or not. It is not an error if the leaf does not exist.
func (l Leaf) Drop(ctx context.Context, tx *Tx) error {
	_, err := tx.tx.Exec(ctx, `DROP TABLE IF EXISTS `+l.Table())
	return err
}

// AttachByImport makes the leaf the parent's partition of its import.
func (l Leaf) AttachByImport(ctx context.Context, tx *Tx) error {
	if err := l.release(ctx, tx); err != nil {
		return err
	}
	_, err := tx.tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES IN (%s)`,
		l.Parent(), l.Table(), QuoteLiteral(l.ImportID)))
	return err
}

// Swap makes a Target leaf the only partition of its parent and drops the previous
// one. The caller holds the exclusive lock on the parent. keyColumns is the number of
// columns in its primary key.
func (l Leaf) Swap(ctx context.Context, tx *Tx, keyColumns int) error {
	rows, err := tx.tx.Query(ctx, `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass`, l.Parent())
	if err != nil {
		return err
	}
	old, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range old {
		if _, err := tx.tx.Exec(ctx, `DROP TABLE `+pgx.Identifier{"partitions", name}.Sanitize()); err != nil {
			return err
		}
	}
	if err := l.release(ctx, tx); err != nil {
		return err
	}
	minimum := strings.TrimSuffix(strings.Repeat("MINVALUE, ", keyColumns), ", ")
	_, err = tx.tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)`,
		l.Parent(), l.Table(), minimum, strings.ReplaceAll(minimum, "MIN", "MAX")))
	return err
}

// QuoteLiteral quotes text for statements that take no parameters, such as DDL.
func QuoteLiteral(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
