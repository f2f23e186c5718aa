package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// Unenriched is a published event that its source did not enrich, and no event completes.
type Unenriched struct {
	ID   uuid.UUID
	Line int64
	Data []byte // JSON; sealed members are base64
	// Stale is set if the target row is no longer the record's: a newer import has changed
	// or deleted it.
	Stale bool
}

// Unenriched returns events of the unit's resource, in the order of their ids, at most so
// many, that come after one.
func (db *DB) Unenriched(ctx context.Context, unit Unit, r *contract.Resource, after uuid.UUID, most int) (found []Unenriched, err error) {
	err = db.Query(ctx, unit.String(), func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT e.event_id, e.line_number, convert_to(e.data::text, 'UTF8'), NOT `+current(r)+unenriched+
			` ORDER BY e.event_id LIMIT $5`, unit.ImportID, unit.Generation, unit.Resource, after.String(), most)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (u Unenriched, err error) {
			return u, row.Scan(&u.ID, &u.Line, &u.Data, &u.Stale)
		})
		return err
	})
	return found, err
}

// Left counts the events that [DB.Unenriched] would return without a limit, and how many
// of them are stale.
func (t *Tx) Left(ctx context.Context, r *contract.Resource, after uuid.UUID) (events, stale int64, err error) {
	err = t.tx.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE NOT `+current(r)+`)`+unenriched,
		t.unit.ImportID, t.unit.Generation, t.unit.Resource, after.String()).Scan(&events, &stale)
	return events, stale, err
}

// unenriched selects events by import, generation, resource and the event that they come
// after. The error of a record is resolved in the transaction that completes its event.
const unenriched = ` FROM final.events e WHERE e.import_id = $1 AND e.generation = $2 AND e.resource = $3 AND e.event_id > $4::uuid
	AND e.enrichment = '` + string(etl.EnrichmentFailed) + `' AND e.completes IS NULL
	AND EXISTS (SELECT FROM etl.errors x WHERE x.import_id = e.import_id AND x.generation = e.generation AND x.resource = e.resource
		AND x.line_number = e.line_number AND x.rule = 'enrichment' AND x.resolved_at IS NULL)`

// current returns the condition that the target row of an event e is still that of its
// record. Where the event has all of the key, it finds the row by it.
func current(r *contract.Resource) string {
	conditions := []string{"t.import_id = e.import_id", "t.generation = e.generation", "t.line_number = e.line_number"}
	for _, f := range r.KeyFields() {
		column := "t." + Quote(r.TargetKey([]string{f.Name})[0])
		switch {
		case !f.Sensitive():
			conditions = append(conditions, fmt.Sprintf("%s = (e.data->>%s)::%s", column, QuoteLiteral(f.Target), f.Type.SQLType()))
		case f.Domain == clientDomain:
			conditions = append(conditions, column+" = e.client_id_token")
		}
	}
	return fmt.Sprintf("EXISTS (SELECT FROM %s t WHERE %s)", Quote("final", r.Name), strings.Join(conditions, " AND "))
}

// clientDomain is the domain of the token that events have in a column.
const clientDomain = "client_id"

// Completion is an event that completes another.
type Completion struct {
	First, ID uuid.UUID // of the event that it completes, and its own
	Status    etl.Enrichment
	Data      []byte // JSON
}

// Complete appends the completions of events of the unit's resource, except of those that
// have become stale, and resolves the errors of their records. It returns how many it
// appended. The rest of an appended event is that of the first.
func (t *Tx) Complete(ctx context.Context, r *contract.Resource, eventType string, completions []Completion) (appended int64, err error) {
	if len(completions) == 0 {
		return 0, nil
	}
	var first, ids, statuses, data []string
	for _, c := range completions {
		first, ids = append(first, c.First.String()), append(ids, c.ID.String())
		statuses, data = append(statuses, string(c.Status)), append(data, string(c.Data))
	}
	var resolved int64
	err = t.tx.QueryRow(ctx, `WITH answered AS (
			SELECT first::uuid, id::uuid, status, data::json FROM unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS a (first, id, status, data)),
		appended AS (
			INSERT INTO final.events (event_id, "timestamp", event_type, import_id, generation, resource, file_date, line_number,
				client_id, client_id_token, enrichment, data, completes)
			SELECT a.id, clock_timestamp(), $8, e.import_id, e.generation, e.resource, e.file_date, e.line_number,
				e.client_id, e.client_id_token, a.status, a.data, e.event_id
			FROM answered a JOIN final.events e ON e.event_id = a.first AND e.import_id = $1
			WHERE e.generation = $2 AND e.resource = $3 AND `+current(r)+`
			ORDER BY e.event_id
			RETURNING import_id, generation, resource, line_number),
		resolved AS (
			UPDATE etl.errors x SET resolved_at = now() FROM appended a
			WHERE x.import_id = a.import_id AND x.generation = a.generation AND x.resource = a.resource AND x.line_number = a.line_number
				AND x.rule = 'enrichment' AND x.resolved_at IS NULL
			RETURNING 1)
		SELECT (SELECT count(*) FROM appended), (SELECT count(*) FROM resolved)`,
		t.unit.ImportID, t.unit.Generation, t.unit.Resource, first, ids, statuses, data, eventType).Scan(&appended, &resolved)
	if err == nil && appended != resolved {
		err = &fault.Mismatch{ImportID: t.unit.ImportID, Reason: otherErrors(r.Name, appended, resolved)}
	}
	return appended, err
}

// LedgerResults returns the results of the units of the unit's phase and resource, in the
// order of their chunks.
func (db *DB) LedgerResults(ctx context.Context, unit Unit) (results [][]byte, err error) {
	err = db.Query(ctx, unit.String(), func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT result FROM etl.ledger WHERE import_id = $1 AND generation = $2 AND phase = $3 AND resource = $4
			ORDER BY chunk`, unit.ImportID, unit.Generation, unit.Phase, unit.Resource)
		if err != nil {
			return err
		}
		results, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
		return err
	})
	return results, err
}
