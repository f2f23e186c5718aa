package phase

import (
	"context"
	"encoding/hex"
	"fmt"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/registry"
)

// StageIn is a chunk with its protected records.
type StageIn struct {
	ChunkIn
	Protected Protected `json:"protected"`
}

// Staged counts the rows of a chunk in the staging table.
type Staged struct {
	Rows int64 `json:"rows"`
}

// Stage pipes the protected records of a chunk into the import's staging table,
// byte for byte.
type Stage struct {
	Common
	DB *postgres.DB
}

// Run persists the chunk once; a second run returns the stored result. It fails
// with *[fault.Incompatible] if the work object was made for other columns, and with
// *[fault.TokenKeyChanged] if its tokens come from another key than those of the database.
func (p *Stage) Run(ctx context.Context, in StageIn) (Staged, error) {
	started := p.Now()
	r, err := p.resource(in.Chunk.Resource)
	if err != nil {
		return Staged{}, err
	}
	object := in.Protected.Object
	from := ledgerObject(object)
	out, err := postgres.OnceFrom(ctx, p.DB, in.unit(etl.StateStage), from, func(ctx context.Context, tx *postgres.Tx) (Staged, error) {
		body, err := openStream(ctx, p.Work, object, r.StagingStream())
		if err != nil {
			return Staged{}, err
		}
		defer func() { _ = body.Close() }()
		content := newHashed(body, object)
		rows, err := tx.Copy(ctx, in.Import.leaf(postgres.Staging, r.Name), r.StagingStream(), content)
		if err != nil {
			return Staged{}, err
		}
		if rows != in.Protected.Read {
			return Staged{}, &fault.Mismatch{ImportID: in.Import.ImportID, Reason: CountMismatch(countRowsStored, r.Name, in.Protected.Read, rows)}
		}
		if err := content.check(); err != nil {
			return Staged{}, err
		}
		return Staged{Rows: rows}, holdTokenKey(ctx, tx, body.Metadata)
	})
	if err != nil {
		return Staged{}, err
	}
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: etl.StateStage, Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: in.Protected.Read, Persisted: out.Rows,
	}, started, chunkStaged)
	return out, nil
}

// holdTokenKey has the transaction refuse tokens of another key than those that are
// persisted already. It comes last, because it may lock the key's row until the commit. A
// stream without tokens has no check value, nor has one that was made before there was any.
func holdTokenKey(ctx context.Context, tx *postgres.Tx, metadata map[string]string) error {
	text := metadata[tokenKeyCheck]
	if text == "" {
		return nil
	}
	check, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("the check value of the token key: %w", err)
	}
	return tx.HoldTokenKey(ctx, protection.TokenKeyVersion, check)
}
