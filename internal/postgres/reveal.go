package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/message"
)

// Origin is where a stored record came from.
type Origin struct {
	ImportID   string `json:"import_id"`
	Generation int    `json:"generation"`
	Resource   string `json:"resource"`
	Line       int64  `json:"line"`
}

// SealedRow is a stored record, with cells as bytes. A public cell is the column cast to
// text; NULL is nil.
type SealedRow struct {
	Origin
	Cells [][]byte
}

// Match is a condition on a column: bytes for a token, else a text that is cast to the
// column's type.
type Match struct {
	Column contract.Column
	Value  []byte
}

// sql returns the condition; its parameter has a number.
func (m Match) sql(parameter int) string {
	if m.Column.SQLType == "bytea" {
		return fmt.Sprintf("%s = $%d", Quote(m.Column.Name), parameter)
	}
	return fmt.Sprintf("%s = convert_from($%d, 'UTF8')::%s", Quote(m.Column.Name), parameter, m.Column.SQLType)
}

// bytes returns the expressions that select columns as bytes.
func bytesOf(columns []contract.Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = Quote(c.Name)
		if c.SQLType != "bytea" {
			list[i] = "convert_to(" + list[i] + "::text, 'UTF8')"
		}
	}
	return strings.Join(list, ", ")
}

// Sealed returns records of a target table that match, at most so many, in the order of
// import and line.
func (db *DB) Sealed(ctx context.Context, table string, where Match, columns []contract.Column, most int) (found []SealedRow, err error) {
	err = db.Query(ctx, "records of "+table, func(ctx context.Context, conn *pgx.Conn) error {
		found, err = sealedRows(ctx, conn, table, fmt.Sprintf(`SELECT import_id, generation, line_number, ARRAY[%s] FROM %s WHERE %s ORDER BY import_id, line_number LIMIT $2`,
			bytesOf(columns), Quote("final", table), where.sql(1)), where.Value, most)
		return err
	})
	return found, err
}

func sealedRows(ctx context.Context, conn *pgx.Conn, resource, sql string, args ...any) ([]SealedRow, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (SealedRow, error) {
		r := SealedRow{Origin: Origin{Resource: resource}}
		return r, row.Scan(&r.ImportID, &r.Generation, &r.Line, &r.Cells)
	})
}

// SealedEvent is a stored event.
type SealedEvent struct {
	Origin
	ClientToken []byte // nil if the event is of no client
	Data        []byte // JSON; sealed members are base64
}

// Event returns an event; ok is false if there is none with the id.
func (db *DB) Event(ctx context.Context, id string) (e SealedEvent, ok bool, err error) {
	err = db.Query(ctx, "event", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT import_id, generation, resource, line_number, client_id_token, convert_to(data::text, 'UTF8')
			FROM final.events WHERE event_id = $1 LIMIT 1`, id)
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&e.ImportID, &e.Generation, &e.Resource, &e.Line, &e.ClientToken, &e.Data}, func() error {
			ok = true
			return nil
		})
		return err
	})
	return e, ok, err
}

// RejectedLine is a rejected record of the current generation of an import.
type RejectedLine struct {
	Origin
	Raw []byte // sealed; nil if the record was well-formed
}

// Rejected returns a rejected record; ok is false if the line is no reject of the file.
func (db *DB) Rejected(ctx context.Context, importID, file string, line int64) (r RejectedLine, ok bool, err error) {
	r.ImportID, r.Line = importID, line
	err = db.Query(ctx, "rejected line of "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT r.generation, r.resource,
				(SELECT e.raw FROM etl.errors e WHERE (e.import_id, e.generation, e.resource, e.line_number) =
					(r.import_id, r.generation, r.resource, r.line_number) AND e.raw IS NOT NULL LIMIT 1)
			FROM etl.rejects r JOIN etl.imports i ON i.import_id = r.import_id AND i.generation = r.generation
			JOIN etl.files f ON (f.import_id, f.generation, f.resource) = (r.import_id, r.generation, r.resource)
			WHERE r.import_id = $1 AND f.file = $2 AND r.line_number = $3`, importID, file, line)
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&r.Generation, &r.Resource, &r.Raw}, func() error {
			ok = true
			return nil
		})
		return err
	})
	return r, ok, err
}

// Staged returns the cells of a staged record, as its COPY stream had them but for
// numbers, which are text; nil if it is no longer there.
func (db *DB) Staged(ctx context.Context, of RejectedLine, columns []contract.Column) (cells [][]byte, err error) {
	err = db.Query(ctx, "staged record of "+of.ImportID, func(ctx context.Context, conn *pgx.Conn) error {
		found, err := sealedRows(ctx, conn, of.Resource, fmt.Sprintf(`SELECT import_id, generation, line_number, ARRAY[%s] FROM %s
			WHERE import_id = $1 AND generation = $2 AND line_number = $3`, bytesOf(columns), Quote("staging", of.Resource)), of.ImportID, of.Generation, of.Line)
		if len(found) > 0 {
			cells = found[0].Cells
		}
		return err
	})
	return cells, err
}

// AuditReveal enters the records of a request into the audit before they are decrypted,
// unless the principal would then have asked for more than the most of a day. used is
// what it has asked for today. After a failure it may be called again.
func (db *DB) AuditReveal(ctx context.Context, e audit.Entry, principal string, records, most int) (used int, entered bool, err error) {
	err = db.Query(ctx, "audit of "+e.Action, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, `SELECT entered, used FROM etl.audit_reveal($1, $2, $3, $4, $5, $6::jsonb, $7, $8)`,
				e.RequestID, message.Text(e.Identity), e.AccessKeyID, principal, e.ImportID, string(e.Details), records, most).Scan(&entered, &used)
		})
	})
	return used, entered, err
}
