package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// Part is a part of a unit, which was persisted before the unit as a whole.
type Part struct {
	Object
	Result []byte // JSON
}

// Parts returns the persisted parts of a unit, in their order.
func (db *DB) Parts(ctx context.Context, unit Unit) (parts []Part, err error) {
	err = db.Query(ctx, unit.String(), func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT object_key, object_version, object_checksum, result FROM etl.ledger
			WHERE import_id = $1 AND generation = $2 AND phase LIKE $3 AND resource = $4 AND chunk = $5 AND object_key IS NOT NULL
			ORDER BY phase`, unit.ImportID, unit.Generation, unit.Phase.Parts()+"%", unit.Resource, unit.Chunk)
		if err != nil {
			return err
		}
		parts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Part, err error) {
			return p, row.Scan(&p.Key, &p.VersionID, &p.Checksum, &p.Result)
		})
		return err
	})
	return parts, err
}

// Silence is what an import knows of a source that gives no answer.
type Silence struct {
	Source  string
	Attempt int       // of the import; a later attempt than the one noted starts anew
	Since   time.Time // begin of the outage, as this unit saw it
	Now     time.Time
	Cause   string
}

// SourceSilent notes that a source gives no answer, and returns how long in all it gave
// the import none. Units that see the same outage do not add to each other. It fails
// with *[fault.Superseded] if the import is no longer at the unit's generation.
func (db *DB) SourceSilent(ctx context.Context, unit Unit, s Silence) (silent time.Duration, err error) {
	err = db.fenced(ctx, unit, func(ctx context.Context, tx pgx.Tx) error {
		var seconds float64
		err := tx.QueryRow(ctx, `INSERT INTO etl.enrichment_outages AS o (import_id, generation, source, attempt, down_since, cause)
			VALUES ($1, $2, $3, $4, $5, $7)
			ON CONFLICT (import_id, generation, source) DO UPDATE SET
				down_seconds = CASE WHEN excluded.attempt > o.attempt THEN 0 ELSE o.down_seconds END,
				down_since = CASE WHEN excluded.attempt > o.attempt THEN excluded.down_since
					ELSE coalesce(o.down_since, greatest(excluded.down_since, o.answered_at)) END,
				attempt = greatest(excluded.attempt, o.attempt), cause = excluded.cause
			RETURNING down_seconds + greatest(extract(epoch FROM $6 - down_since), 0)::float8`,
			unit.ImportID, unit.Generation, s.Source, s.Attempt, s.Since, s.Now, s.Cause).Scan(&seconds)
		silent = time.Duration(seconds * float64(time.Second))
		return err
	})
	return silent, err
}

// AlertOnce calls send, unless the operators were told about the source before. Only if
// send succeeds are they told.
func (db *DB) AlertOnce(ctx context.Context, unit Unit, source string, now time.Time, send func(context.Context) error) error {
	return db.fenced(ctx, unit, func(ctx context.Context, tx pgx.Tx) error {
		told, err := NewTx(tx, unit).SourceTold(ctx, source, now)
		if err != nil || told {
			return err
		}
		return send(ctx)
	})
}

// SourceTold notes that the operators are told about a source, and reports whether they
// were told before. A source without an outage is not noted.
func (t *Tx) SourceTold(ctx context.Context, source string, now time.Time) (before bool, err error) {
	err = t.tx.QueryRow(ctx, `SELECT alerted_at IS NOT NULL FROM etl.enrichment_outages
		WHERE import_id = $1 AND generation = $2 AND source = $3 FOR UPDATE`, t.unit.ImportID, t.unit.Generation, source).Scan(&before)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil || before {
		return before, err
	}
	_, err = t.tx.Exec(ctx, `UPDATE etl.enrichment_outages SET alerted_at = $4
		WHERE import_id = $1 AND generation = $2 AND source = $3`, t.unit.ImportID, t.unit.Generation, source, now)
	return false, err
}

// SourceAnswered notes that a source answered, which ends its outage.
func (t *Tx) SourceAnswered(ctx context.Context, source string, now time.Time) error {
	_, err := t.tx.Exec(ctx, `UPDATE etl.enrichment_outages
		SET down_seconds = down_seconds + greatest(extract(epoch FROM $4 - down_since), 0)::float8, down_since = NULL, answered_at = $4
		WHERE import_id = $1 AND generation = $2 AND source = $3 AND down_since IS NOT NULL`, t.unit.ImportID, t.unit.Generation, source, now)
	return err
}

// fenced runs change in a transaction that holds the unit's generation.
func (db *DB) fenced(ctx context.Context, unit Unit, change func(context.Context, pgx.Tx) error) error {
	return db.Query(ctx, unit.String(), func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := fence(ctx, tx, unit.ImportID, unit.Generation); err != nil {
				return err
			}
			return change(ctx, tx)
		})
	})
}
