// Package event turns the valid staged records of a chunk into events and typed
// rows of the target table, as COPY streams.
//
// Sensitive values are never decrypted here. A ciphertext is copied into the target
// row unchanged, and into the event's data as base64. It opens with the import,
// generation and line number beside it.
package event

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/jsonscan"
	"etl-dataloader/internal/staged"
)

// Enrichment is the answer of an external system about a record.
type Enrichment struct {
	Status etl.Enrichment
	Error  string          // cause, if Status is etl.EnrichmentFailed
	Values json.RawMessage // the enriched fields, a JSON object with the contract's names; nil if there are none
}

// ErrorMember is the member of an event's data with the reason why it could not be
// enriched. Other events do not have it.
const ErrorMember = "enrichment_error"

// Columns returns the columns of final.events, in order.
func Columns() []contract.Column {
	return []contract.Column{
		{Name: "event_id", SQLType: "uuid"},
		{Name: "timestamp", SQLType: "timestamp with time zone"},
		{Name: "event_type", SQLType: "text"},
		{Name: "import_id", SQLType: "text", Constant: true},
		{Name: "generation", SQLType: "integer", Constant: true},
		{Name: "resource", SQLType: "text"},
		{Name: "file_date", SQLType: "date", Constant: true},
		{Name: "line_number", SQLType: "bigint"},
		{Name: "client_id", SQLType: "bytea"},
		{Name: "client_id_token", SQLType: "bytea"},
		{Name: "enrichment", SQLType: "text"},
		{Name: "data", SQLType: "json"},
		{Name: "completes", SQLType: "uuid", Constant: true},
	}
}

// Stream returns the columns of a COPY stream of events.
func Stream() []contract.Column { return contract.Streamed(Columns()) }

// Positions of the columns of Stream.
const (
	columnID         = 0
	columnType       = 2
	columnLine       = 4
	columnEnrichment = 7
	columnData       = 8
	streamColumns    = 9
)

// Builder converts a staged row of a resource into an event and a target row. It is not safe for concurrent use.
type Builder struct {
	resource *contract.Resource
	now      func() time.Time
	newID    func() (uuid.UUID, error)
	fields   []fieldPlan
	columns  int // of a target row in its stream
	client   int // staging column of client_id, -1 if the resource has none
	token    int // staging column of its token
	data     []byte
}

// fieldPlan is the place of a field in a staged row, and its destination.
type fieldPlan struct {
	field  *contract.Field
	column int
	token  int // staging column of the token, -1 if there is none
	sealed bool
	name   []byte
}

// NewBuilder plans the mapping of a resource. newID returns event ids, which
// must ascend in time so that an index over them grows at its end.
func NewBuilder(r *contract.Resource, now func() time.Time, newID func() (uuid.UUID, error)) *Builder {
	b := &Builder{resource: r, now: now, newID: newID, columns: len(r.TargetStream()), client: -1, token: -1}
	cells := staged.Fields(r)
	for i, f := range r.Fields {
		plan := fieldPlan{field: f, column: cells[i].Value, token: cells[i].Token, sealed: f.Sensitive(), name: jsonscan.AppendName(nil, f.Target)}
		if f.Domain == clientDomain {
			b.client, b.token = plan.column, plan.token
		}
		b.fields = append(b.fields, plan)
	}
	return b
}

// clientDomain is the token domain of the column client_id of the events.
const clientDomain = "client_id"
