package phase

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/staged"
	"etl-dataloader/internal/validation"
)

// Protected locates and counts a chunk's protected records.
type Protected struct {
	Object    objectstore.Object `json:"object"`
	Read      int64              `json:"read"` // including malformed ones
	Malformed int64              `json:"malformed"`
}

// Protect reads a chunk of the landing file and writes its records, protected,
// as a COPY stream for the staging table.
type Protect struct {
	Common
	Landing     *objectstore.Store
	KMS         protection.KMS
	FieldsKeyID string
	TokensKeyID string
}

// Run writes the work object of the chunk. A second run returns the object of the
// first. Run calls KMS once for the data key and, for a resource with tokens, once for
// each domain and once for the check value: at most four times in all.
func (p *Protect) Run(ctx context.Context, in ChunkIn) (Protected, error) {
	started := p.Now()
	r, err := p.resource(in.Chunk.Resource)
	if err != nil {
		return Protected{}, err
	}
	checker, keys, err := p.prepare(ctx, in, r)
	if err != nil {
		return Protected{}, err
	}
	metadata, err := p.metadata(ctx, r)
	if err != nil {
		return Protected{}, err
	}
	var out Protected
	object, created, err := p.Work.PutOnce(ctx, in.object("staged"), metadata, func(w io.Writer) error {
		body, err := p.Landing.OpenRange(ctx, in.Chunk.Key, in.Chunk.VersionID, in.Chunk.Range.Start, in.Chunk.Range.End)
		if err != nil {
			return err
		}
		defer func() { _ = body.Close() }()
		records := record.NewReader(body, in.Chunk.Range, validation.Layout(r, in.Chunk.Format), in.Chunk.Header)
		return protect(records, staged.NewWriter(w, r, in.Chunk.Range.Index, checker, keys), &out)
	})
	if err != nil {
		return Protected{}, err
	}
	if out.Object = object; !created {
		if out, err = p.reread(ctx, object); err != nil {
			return Protected{}, err
		}
	}
	if out.Read != in.Chunk.Range.Records {
		return Protected{}, &fault.Mismatch{ImportID: in.Import.ImportID, Reason: CountMismatch("enregistrements lus", r.Name, in.Chunk.Range.Records, out.Read)}
	}
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: etl.StateProtect, Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: out.Read, Rejected: out.Malformed,
	}, started, chunkProtected)
	return out, nil
}

// reread counts the records that an earlier run wrote.
func (p *Protect) reread(ctx context.Context, object objectstore.Object) (out Protected, err error) {
	out.Object, err = p.Work.Read(ctx, object, func(stream io.Reader) error {
		return copybinary.Each(stream, func(row [][]byte) error {
			out.Read++
			if code, _ := staged.Fault(row); code != nil {
				out.Malformed++
			}
			return nil
		})
	})
	return out, err
}

// prepare returns what the records of the chunk are checked and protected with.
func (p *Protect) prepare(ctx context.Context, in ChunkIn, r *contract.Resource) (checker *validation.Checker, keys staged.Keys, err error) {
	date, err := in.Import.Date()
	if err != nil {
		return nil, keys, err
	}
	if checker, err = validation.NewChecker(r, date); err != nil {
		return nil, keys, err
	}
	key, err := openKey(ctx, p.KMS, p.FieldsKeyID, in.Import)
	if err != nil {
		return nil, keys, err
	}
	defer key.Wipe()
	if keys.Sealer, err = protection.NewSealer(key, in.Import.scope(r.Name), in.Chunk.Range.Index); err != nil {
		return nil, keys, err
	}
	keys.Tokenizers, err = p.tokenizers(ctx, r)
	return checker, keys, err
}

// tokenizers returns a tokenizer for each field with a token, by field index. It calls
// KMS once for each domain.
func (p *Protect) tokenizers(ctx context.Context, r *contract.Resource) ([]*protection.Tokenizer, error) {
	tokenizers := make([]*protection.Tokenizer, len(r.Fields))
	domains := map[string]*protection.Tokenizer{}
	for i, f := range r.Fields {
		if f.Sensitivity != contract.Token {
			continue
		}
		if domains[f.Domain] == nil {
			tokenKey, err := protection.NewTokenKey(ctx, p.KMS, p.TokensKeyID, f.Domain)
			if err != nil {
				return nil, err
			}
			domains[f.Domain], err = protection.NewTokenizer(tokenKey)
			tokenKey.Wipe()
			if err != nil {
				return nil, err
			}
		}
		tokenizers[i] = domains[f.Domain]
	}
	return tokenizers, nil
}

// tokenKeyCheck is the metadata key under which a stream with tokens holds the check
// value of the key that made them. It stays with the object: a second run of Protect,
// with another key, finds the object of the first.
const tokenKeyCheck = "token-key-check"

// metadata returns the metadata of a chunk's stream.
func (p *Protect) metadata(ctx context.Context, r *contract.Resource) (map[string]string, error) {
	metadata := schemaOf(r.StagingStream())
	if !slices.ContainsFunc(r.Fields, func(f *contract.Field) bool { return f.Sensitivity == contract.Token }) {
		return metadata, nil
	}
	check, err := protection.TokenKeyCheck(ctx, p.KMS, p.TokensKeyID)
	if err != nil {
		return nil, err
	}
	metadata[tokenKeyCheck] = hex.EncodeToString(check)
	return metadata, nil
}

// openKey unwraps the import's data key with one call to KMS. The caller wipes it.
func openKey(ctx context.Context, kms protection.KMS, fieldsKeyID string, imp Import) (protection.DataKey, error) {
	return protection.DecryptDataKey(ctx, kms, fieldsKeyID, imp.ImportID, imp.KeyID, imp.WrappedKey)
}

// protect writes every record of the chunk, and counts them.
func protect(records *record.Reader, rows *staged.Writer, out *Protected) error {
	*out = Protected{}
	for {
		rec, err := records.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return rows.Close()
			}
			return err
		}
		out.Read++
		if rec.Fault != "" {
			out.Malformed++
		}
		if err := rows.Write(rec); err != nil {
			return err
		}
	}
}
