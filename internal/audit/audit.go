// Package audit is what the product records of people's requests: who asked for what,
// when, on which import, and what became of it.
//
// A request has two entries in etl.audit, before the deed and after it; one that reveals
// records has another before the deed, with the records. They never hold a value of a
// file.
package audit

import (
	"context"
	"encoding/json"

	"etl-dataloader/internal/caller"
)

// Stage says when an [Entry] was written.
type Stage string

// The stages.
const (
	Asked Stage = "asked" // before the deed
	Done  Stage = "done"  // after it
)

// Entry is what etl.audit records of a person's request, before the deed and after it.
type Entry struct {
	RequestID   string // a UUID, the same in all its entries
	Stage       Stage
	Identity    string // ARN of whoever asked
	AccessKeyID string // of the key that signed the request; "" if none is known
	Verified    bool   // whether AWS vouches for Identity
	Action      string // such as "restart" or "reveal"
	ImportID    string // "" for a request that concerns none
	// Details is a JSON object with what else was asked, never a value of a file; nil
	// for nothing.
	Details json.RawMessage
	Outcome string // what became of it; only of Done, which must have one
}

// By returns the entry with the identity of whoever asked.
func (e Entry) By(who caller.Identity) Entry {
	e.Identity, e.AccessKeyID, e.Verified = who.ARN, who.AccessKey, who.Verified()
	if !e.Verified {
		e.Identity = caller.Unverified
	}
	return e
}

// Trail keeps entries; *postgres.DB implements it.
type Trail interface {
	// Audit appends an entry. After a failure it may be called again; if the first call
	// did save the entry, it is there twice.
	Audit(ctx context.Context, e Entry) error
}
