package phase

import (
	"bytes"
	"context"
	"slices"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/staged"
)

// chunkKeys are the keys of the valid records of a chunk, in clear, in memory only. A
// chunk is bounded (ChunkBytes), and so are they. The strings that requests are made
// of are left to the garbage collector.
type chunkKeys struct {
	lines    []int64  // of the valid records, ascending
	distinct []string // in the order of their first record
	from     []int    // by distinct key, and one more: where its records begin in records
	records  []int    // places in lines, by distinct key
	// bound are, in the order of lines, the public keys to which the values of the records
	// are bound; nil if the source answers nothing that is sealed.
	bound [][]byte
}

// record returns what the values of a record are bound to.
func (k *chunkKeys) record(place int) protection.Record {
	of := protection.Record{Line: k.lines[place]}
	if k.bound != nil {
		of.Key = k.bound[place]
	}
	return of
}

// of returns the places in lines of the records with a distinct key.
func (k *chunkKeys) of(key int) []int { return k.records[k.from[key]:k.from[key+1]] }

// keysOf decrypts the keys of the valid records of a chunk.
func (p *Enrich) keysOf(ctx context.Context, in ChunkIn, r *contract.Resource, values *lateOpener) (*chunkKeys, error) {
	rows, err := p.validRows(ctx, p.DB, in, r)
	if err != nil {
		return nil, err
	}
	return readKeys(r, values.open, func(visit func(line int64, row [][]byte) error) error { return rows.each(ctx, visit) })
}

// readKeys decrypts the keys of the rows that each passes.
func readKeys(r *contract.Resource, open staged.Open, each func(visit func(line int64, row [][]byte) error) error) (*chunkKeys, error) {
	reader := staged.NewReader(r, open)
	defer reader.Wipe()
	k := &chunkKeys{}
	fields := make([]*contract.Field, len(r.Enrichment.Key))
	for i, name := range r.Enrichment.Key {
		fields[i] = r.Field(name)
	}
	parts := make([]string, len(fields)) // of one record's key
	var keyOf []int
	places := map[string]int{}
	seals := answersSealed(r)
	if err := each(func(line int64, row [][]byte) error {
		for i, field := range fields {
			value, err := reader.Value(field, line, row)
			if err != nil {
				return err
			}
			parts[i], _ = field.Canonical(value.Text)
		}
		key := enrichment.JoinKey(parts...)
		place, known := places[key]
		if !known {
			place = len(k.distinct)
			k.distinct, places[key] = append(k.distinct, key), place
		}
		k.lines, keyOf = append(k.lines, line), append(keyOf, place)
		if seals {
			k.bound = append(k.bound, bytes.Clone(reader.Record(line, row).Key))
		}
		return nil
	}); err != nil {
		return nil, err
	}
	k.group(keyOf)
	return k, nil
}

// group lists the records by key.
func (k *chunkKeys) group(keyOf []int) {
	k.from = make([]int, len(k.distinct)+1)
	for _, key := range keyOf {
		k.from[key+1]++
	}
	for key := range k.distinct {
		k.from[key+1] += k.from[key]
	}
	k.records = make([]int, len(keyOf))
	next := slices.Clone(k.from)
	for record, key := range keyOf {
		k.records[next[key]] = record
		next[key]++
	}
}

// lateOpener opens values. It asks KMS for the key at the first one, so that a chunk
// without a valid record costs no call.
type lateOpener struct {
	key    func() (protection.DataKey, error)
	scope  protection.Scope
	opened protection.DataKey
	opener *protection.Opener // nil until the first value
}

// open is a [staged.Open].
func (o *lateOpener) open(dst []byte, of protection.Record, column string, sealed []byte) ([]byte, error) {
	if _, err := o.dataKey(); err != nil {
		return nil, err
	}
	return o.opener.Open(dst, of, column, sealed)
}

// dataKey returns the key.
func (o *lateOpener) dataKey() (protection.DataKey, error) {
	if o.opener == nil {
		var err error
		if o.opened, err = o.key(); err != nil {
			return o.opened, err
		}
		o.opener = protection.NewOpener(o.opened, o.scope)
	}
	return o.opened, nil
}

// wipe clears the key from memory.
func (o *lateOpener) wipe() { o.opened.Wipe() }
