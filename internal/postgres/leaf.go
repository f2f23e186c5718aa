package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	return tx.call(ctx, `etl.create_leaf($1, $2, $3, $4, $5, $6, $7)`,
		l.Kind, l.Resource, l.ImportID, l.Generation, from.FileDate, from.FileType, from.File)
}

// Drop drops the leaf, attached or not. It is not an error if the leaf does not exist.
// It fails if readers see the leaf.
func (l Leaf) Drop(ctx context.Context, tx *Tx) error {
	return tx.call(ctx, `etl.drop_leaf($1, $2, $3, $4)`, l.Kind, l.Resource, l.ImportID, l.Generation)
}

// AttachByImport makes the leaf the parent's partition of its import. It turns
// autovacuum back on, except for a staging leaf, which never changes again.
func (l Leaf) AttachByImport(ctx context.Context, tx *Tx) error {
	return tx.call(ctx, `etl.attach_leaf($1, $2, $3, $4)`, l.Kind, l.Resource, l.ImportID, l.Generation)
}

// Swap makes a Target leaf of an initial import the only partition of its parent and
// drops the previous one. The caller holds the exclusive lock on the parent.
func (l Leaf) Swap(ctx context.Context, tx *Tx) error {
	return tx.call(ctx, `etl.swap_target($1, $2, $3)`, l.Resource, l.ImportID, l.Generation)
}

// QuoteLiteral quotes text for statements that take no parameters, such as DDL.
func QuoteLiteral(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
