package phase

import (
	"context"
	"errors"
	"io"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/validation"
)

// Protected tells where a chunk's protected records are.
type Protected struct {
	Object    objectstore.Object `json:"object"`
	Read      int64              `json:"read"` // malformed ones included
	Malformed int64              `json:"malformed"`
}

// Protect reads a chunk of the landing file and writes its records, protected,
// as a COPY stream for the staging table.
type Protect struct {
	Common
	Landing  *objectstore.Store
	KMS      protection.KMS
	MACKeyID string
}

// Run writes the work object of the chunk. A second run returns the object of
// the first. It calls KMS once for the data key and once for each token domain
// of the resource: at most three times.
func (p *Protect) Run(ctx context.Context, in ChunkIn) (Protected, error) {
	started := p.Now()
	r, err := p.resource(in.Chunk.Resource)
	if err != nil {
		return Protected{}, err
	}
	cells, err := p.cells(ctx, in, r)
	if err != nil {
		return Protected{}, err
	}
	var out Protected
	object, created, err := p.Work.PutOnce(ctx, in.object("staged"), schemaOf(r.StagingStream()), func(w io.Writer) error {
		body, err := p.Landing.OpenRange(ctx, in.Chunk.Key, in.Chunk.VersionID, in.Chunk.Range.Start, in.Chunk.Range.End)
		if err != nil {
			return err
		}
		defer func() { _ = body.Close() }()
		records := record.NewReader(body, in.Chunk.Range, validation.Layout(r, in.Chunk.Format), in.Chunk.Header)
		return cells.copy(records, w, &out)
	})
	if err != nil {
		return Protected{}, err
	}
	if out.Object = object; !created {
		if out, err = p.reread(ctx, object, r); err != nil {
			return Protected{}, err
		}
	}
	if out.Read != in.Chunk.Range.Records {
		return Protected{}, &fault.Mismatch{ImportID: in.Import.ImportID, Reason: message.CountMismatch("enregistrements lus", r.Name, in.Chunk.Range.Records, out.Read)}
	}
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: "Protect", Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: out.Read, Rejected: out.Malformed,
	}, started, message.ChunkProtected)
	return out, nil
}

// reread counts what an earlier run wrote.
func (p *Protect) reread(ctx context.Context, object objectstore.Object, r *contract.Resource) (out Protected, err error) {
	faultColumn := columnIndex(r.StagingStream(), "fault")
	out.Object, err = p.Work.Read(ctx, object, func(stream io.Reader) error {
		return eachRow(stream, func(row [][]byte) error {
			out.Read++
			if row[faultColumn] != nil {
				out.Malformed++
			}
			return nil
		})
	})
	return out, err
}

// protector writes the protected form of records.
type protector struct {
	in         ChunkIn
	resource   *contract.Resource
	columns    int
	sealer     *protection.Sealer
	tokenizers []*protection.Tokenizer // by field index, nil where there is no token
	staged     []bool                  // by field index: whether a bigint key is staged
	compared   []bool                  // by field index: whether SQL compares the public text
	checker    *validation.Checker     // tells whether a value stands in the wrong column

	values       []validation.Value // scratch, as are the next
	sealed       []byte
	canonical    []byte
	withheldText []byte
}

// cells gets the keys of the chunk.
func (p *Protect) cells(ctx context.Context, in ChunkIn, r *contract.Resource) (*protector, error) {
	key, err := openKey(ctx, p.KMS, in.Import)
	if err != nil {
		return nil, err
	}
	sealer, err := protection.NewSealer(key, in.Import.scope(r.Name), in.Chunk.Range.Index)
	if err != nil {
		return nil, err
	}
	date, err := in.Import.Date()
	if err != nil {
		return nil, err
	}
	checker, err := validation.NewChecker(r, date)
	if err != nil {
		return nil, err
	}
	c := &protector{
		in: in, resource: r, sealer: sealer, columns: len(r.StagingStream()), checker: checker, compared: comparedTexts(r),
		tokenizers: make([]*protection.Tokenizer, len(r.Fields)), staged: make([]bool, len(r.Fields)), values: make([]validation.Value, len(r.Fields)),
	}
	domains := map[string]*protection.Tokenizer{}
	for i, f := range r.Fields {
		if f.Sensitivity != contract.Token {
			continue
		}
		if domains[f.Domain] == nil {
			tokenKey, err := protection.NewTokenKey(ctx, p.KMS, p.MACKeyID, f.Domain)
			if err != nil {
				return nil, err
			}
			if domains[f.Domain], err = protection.NewTokenizer(tokenKey); err != nil {
				return nil, err
			}
		}
		c.tokenizers[i] = domains[f.Domain]
	}
	for _, f := range r.StagedKeys() {
		c.staged[f.Index] = true
	}
	return c, nil
}

// openKey unwraps the import's data key: one call of KMS.
func openKey(ctx context.Context, kms protection.KMS, imp Import) (protection.DataKey, error) {
	plain, err := protection.DecryptDataKey(ctx, kms, imp.ImportID, imp.WrappedKey)
	if err != nil {
		return protection.DataKey{}, err
	}
	return protection.NewDataKey(imp.KeyID, plain)
}

// copy writes every record of the chunk.
func (c *protector) copy(records *record.Reader, w io.Writer, out *Protected) error {
	*out = Protected{}
	stream := copybinary.NewWriter(w)
	for {
		rec, err := records.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return stream.Close()
			}
			return err
		}
		out.Read++
		stream.Row(c.columns)
		stream.Int4(int32(c.in.Chunk.Range.Index)) //nolint:gosec // a manifest has far fewer chunks
		stream.Int8(rec.Line)
		if rec.Fault != "" {
			out.Malformed++
			c.malformed(stream, rec)
		} else {
			c.wellFormed(stream, rec)
		}
		if err := stream.Err(); err != nil {
			return err
		}
	}
}

// malformed writes the sealed text of a record that could not be read, and no
// field.
func (c *protector) malformed(stream *copybinary.Writer, rec *record.Record) {
	stream.String(rec.Code())
	c.sealed = c.sealer.Seal(c.sealed[:0], protection.RawColumn, rec.Line, rec.Raw)
	stream.Bytea(c.sealed)
	for range c.columns - fixedColumns + 1 {
		stream.Null()
	}
}

// fixedColumns of a staged row stand before its fields in the stream; the last of
// them is "mistyped".
const fixedColumns = 5

func (c *protector) wellFormed(stream *copybinary.Writer, rec *record.Record) {
	validation.Values(c.values, c.resource.Fields, rec.Values)
	stream.Null() // fault
	fits := c.checker.Fits(c.values)
	if fits {
		stream.Null() // raw
		stream.Null() // mistyped
	} else {
		c.withhold(stream, rec)
		c.mistyped(stream)
	}
	for i, f := range c.resource.Fields {
		value := &c.values[i]
		switch {
		case value.Missing, !fits && c.withheld(f):
			stream.Null()
		case f.Sensitive():
			c.sealed = c.sealer.Seal(c.sealed[:0], f.Name, rec.Line, value.Text)
			stream.Bytea(c.sealed)
		default:
			stream.Text(value.Text)
		}
		if c.tokenizers[i] != nil {
			c.token(stream, f, value)
		}
		if c.staged[i] {
			c.key(stream, value)
		}
	}
}

// token writes the token of a value that has a canonical form; one of another
// JSON kind than its field's has none.
func (c *protector) token(stream *copybinary.Writer, f *contract.Field, value *validation.Value) {
	if value.Missing || value.Mistyped {
		stream.Null()
		return
	}
	canonical, ok := f.AppendCanonical(c.canonical[:0], value.Text)
	c.canonical = canonical
	if !ok {
		stream.Null()
		return
	}
	token := c.tokenizers[f.Index].Token(canonical)
	stream.Bytea(token[:])
}

// key writes the bigint of a public integer that set rules compare, if it is one.
func (c *protector) key(stream *copybinary.Writer, value *validation.Value) {
	key, ok := contract.ParseInteger(value.Text)
	if value.Missing || value.Mistyped || !ok {
		stream.Null()
		return
	}
	stream.Int8(key)
}

// mistyped names the fields whose JSON kind does not fit the contract, if any. A
// record with one of them never fits.
func (c *protector) mistyped(stream *copybinary.Writer) {
	var names []string
	for i, f := range c.resource.Fields {
		if c.values[i].Mistyped {
			names = append(names, f.Name)
		}
	}
	if names == nil {
		stream.Null()
		return
	}
	stream.String(strings.Join(names, ","))
}
