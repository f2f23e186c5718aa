package phase_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/protection"
)

// protectedClients is the input of Stage for the chunk of the clients.
func (r *run) protectedClients(t *testing.T) phase.StageIn {
	t.Helper()
	_, chunk := r.chunkOf(t, "clients")
	in := phase.ChunkIn{Import: r.imp, Chunk: chunk}
	return phase.StageIn{ChunkIn: in, Protected: do(t, r, "Protect", in, r.l.protect().Run)}
}

// expectTokenKeyChanged runs Stage, which must refuse the tokens.
func (r *run) expectTokenKeyChanged(t *testing.T, in phase.StageIn, first string) {
	t.Helper()
	_, err := r.l.stage().Run(t.Context(), in)
	changed, ok := errors.AsType[*fault.TokenKeyChanged](fault.Lift(err))
	if !ok || changed.ImportID != r.imp.ImportID || changed.First != first {
		t.Fatalf("got %v, want TokenKeyChanged since %s", err, first)
	}
	if n := r.l.count(t, `SELECT count(*) FROM etl.ledger WHERE import_id = $1 AND phase = 'Stage' AND resource = 'clients'`, r.imp.ImportID); n != 0 {
		t.Error("the chunk is in the ledger")
	}
}

// TestTokenKeyChanged: a stack that was made anew, with another key for tokens, on the
// database of the former one, inserts no client a second time.
func TestTokenKeyChanged(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	first := l.upload(t, etl.ModeDaily, "2024-10-07", day().csv(t)).all(t)
	_, _, other := newKMS(t)
	former := l.tokensKey
	l.tokensKey = other
	second := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Plan")
	second.expectTokenKeyChanged(t, second.protectedClients(t), first.imp.ImportID)

	// The tokens stay with the object: that Protect could use the former key again
	// does not make its first object right.
	l.tokensKey = former
	second.expectTokenKeyChanged(t, second.protectedClients(t), first.imp.ImportID)

	restarted := second.again(t, false).all(t)
	l.expectPublished(t, restarted, day(), map[string]int64{})
	if n := l.count(t, `SELECT count(*) FROM final.clients`); n != 3 {
		t.Errorf("%d clients, want the three of both dates", n)
	}
	if got := postgrestest.Scan[string](t, l.conn, `SELECT concat_ws(' ', count(*), min(version), min(import_id)) FROM etl.token_key`); got != "1 1 "+first.imp.ImportID {
		t.Errorf("etl.token_key holds %s", got)
	}
}

// TestTokenKeyLost is the failure table of the first use of a key: the commit of Stage
// fails, or its answer is lost. Either way the key that is held in the end is that of the
// tokens that are staged.
func TestTokenKeyLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose postgrestest.Loss
		held int
	}{
		"failed, not saved": {postgrestest.LoseRequest, 0},
		"failed, but saved": {postgrestest.LoseAnswer, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Plan")
			in := r.protectedClients(t)
			proxy := postgrestest.Listen(t, l.url)
			l.db = server.Open(t, proxy.URL)
			proxy.Lose(c.lose)
			if _, err := l.stage().Run(t.Context(), in); fault.Name(fault.Lift(err)) != "Transient" {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			held := func() int {
				return l.count(t, `SELECT count(*) FROM etl.token_key WHERE import_id = $1`, r.imp.ImportID)
			}
			if held() != c.held {
				t.Errorf("%d keys are held, want %d", held(), c.held)
			}
			if out, err := l.stage().Run(t.Context(), in); err != nil || out.Rows != in.Protected.Read || held() != 1 {
				t.Errorf("the retry returns %+v, %v; %d keys are held", out, err, held())
			}
			_, _, l.tokensKey = newKMS(t)
			other := l.upload(t, etl.ModeDaily, "2024-10-09", day().csv(t)).through(t, "Open", "Plan")
			other.expectTokenKeyChanged(t, other.protectedClients(t), r.imp.ImportID)
		})
	}
}

// TestTokenKeyCheckTravels: the object of a chunk with tokens names the key that made
// them, and that of another chunk none; without a name, as before there were any, nothing
// is compared.
func TestTokenKeyCheckTravels(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Plan")
	check, err := protection.TokenKeyCheck(t.Context(), l.kms, l.tokensKey)
	if err != nil {
		t.Fatal(err)
	}
	for resource, want := range map[string]string{"clients": hex.EncodeToString(check), "ventes": hex.EncodeToString(check), "produits": ""} {
		_, chunk := r.chunkOf(t, resource)
		protected := do(t, r, "Protect", phase.ChunkIn{Import: r.imp, Chunk: chunk}, l.protect().Run)
		body, err := l.work.Open(t.Context(), protected.Object.Key, protected.Object.VersionID)
		if err != nil {
			t.Fatal(err)
		}
		_ = body.Close()
		if got := body.Metadata["token-key-check"]; got != want {
			t.Errorf("%s: %q, want %q", resource, got, want)
		}
	}
	in := r.protectedClients(t)
	body, err := l.work.Open(t.Context(), in.Protected.Object.Key, in.Protected.Object.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
	// In this order: a chunk that is staged answers from its ledger and opens no object.
	for _, c := range []struct{ name, check, fault string }{
		{"no hexadecimal", "zz", "Unexpected"},
		{"made without a name", "", ""},
	} {
		metadata := map[string]string{"schema": body.Metadata["schema"], "token-key-check": c.check}
		if c.check == "" {
			delete(metadata, "token-key-check")
		}
		forged := in
		forged.Protected.Object = r.foreign(t, "foreign/"+strings.ReplaceAll(c.name, " ", "-"), metadata, in.Protected.Object)
		forged.Protected.Object.Checksum = in.Protected.Object.Checksum
		_, err := l.stage().Run(t.Context(), forged)
		if got := string(fault.Name(fault.Lift(err))); (err != nil || c.fault != "") && got != c.fault {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if n := l.count(t, `SELECT count(*) FROM etl.token_key`); n != 0 {
		t.Errorf("%d keys are held", n)
	}
}
