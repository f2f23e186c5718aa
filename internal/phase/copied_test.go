package phase_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/staged"
)

// TestCopiedValue: whoever can write to the database cannot give one record the values
// of another, although whatever stands beside a sealed value can be copied with it.
func TestCopiedValue(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	l.copiedIBAN(t, r)
	l.copiedKey(t, r)
}

// copiedIBAN copies an IBAN with everything that names its cell to another payment,
// whose key is public, and reads it from the table and from an event.
func (l *line) copiedIBAN(t *testing.T, r *run) {
	t.Helper()
	payments := l.common.Contract.Resource("paiements")
	opener := l.opener(t, r, payments.Name)
	open := func(key string, line int64, sealed []byte) error {
		of := protection.Record{Line: line}
		for _, f := range staged.PublicKey(payments) {
			of.Key = staged.AppendKey(of.Key, f, []byte(key))
		}
		_, err := opener.Open(nil, of, "iban", sealed)
		return err
	}
	var key string
	var line int64
	var sealed []byte
	read := func(payment int) {
		if err := l.conn.QueryRow(t.Context(), `SELECT payment_id::text, line_number, iban FROM final.paiements WHERE payment_id = $1`, payment).Scan(&key, &line, &sealed); err != nil {
			t.Fatal(err)
		}
	}
	read(502)
	if err := open(key, line, sealed); err != nil {
		t.Errorf("the IBAN of payment %s: %v", key, err)
	}
	postgrestest.Exec(t, l.conn, `UPDATE final.paiements a SET (iban, import_id, generation, line_number) = (b.iban, b.import_id, b.generation, b.line_number)
		FROM final.paiements b WHERE a.payment_id = 501 AND b.payment_id = 502`)
	read(501)
	if err := open(key, line, sealed); !errors.Is(err, protection.ErrOpen) {
		t.Errorf("the IBAN of payment 502 opens as that of payment 501: %v", err)
	}
	var text string
	if err := l.conn.QueryRow(t.Context(), `SELECT data->>'payment_id', line_number, data->>'iban' FROM final.events
		WHERE resource = 'paiements' AND data->>'payment_id' = '502'`).Scan(&key, &line, &text); err != nil {
		t.Fatal(err)
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := open(key, line, sealed); err != nil {
		t.Errorf("the IBAN in the event of payment %s: %v", key, err)
	}
}

// copiedKey copies what names a client's cells, its sealed key included, to another
// client, whose token stays: the key is sensitive, so the token tells.
func (l *line) copiedKey(t *testing.T, r *run) {
	t.Helper()
	clients := l.common.Contract.Resource("clients")
	tokenKey, err := protection.NewTokenKey(t.Context(), l.kms, l.tokensKey, clients.KeyFields()[0].Domain)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := protection.NewTokenizer(tokenKey)
	if err != nil {
		t.Fatal(err)
	}
	tokenizers := make([]*protection.Tokenizer, len(clients.Fields))
	tokenizers[clients.KeyFields()[0].Index] = tokenizer
	checker := staged.NewKeyChecker(clients, l.opener(t, r, clients.Name).Open, tokenizers)
	check := func(token []byte) error {
		var stored staged.StoredKey
		var line int64
		if err := l.conn.QueryRow(t.Context(), `SELECT client_id, client_id_token, line_number FROM final.clients WHERE client_id_token = $1`, token).
			Scan(&stored.Sealed, &stored.Token, &line); err != nil {
			t.Fatal(err)
		}
		return checker.Check(protection.Record{Line: line}, func(*contract.Field) staged.StoredKey { return stored })
	}
	first, second := tokenizer.Token([]byte("101")), tokenizer.Token([]byte("102"))
	if err := check(first[:]); err != nil {
		t.Errorf("the key of client 101: %v", err)
	}
	postgrestest.Exec(t, l.conn, `UPDATE final.clients a SET (client_id, email, line_number) = (b.client_id, b.email, b.line_number)
		FROM final.clients b WHERE a.client_id_token = $1 AND b.client_id_token = $2`, first[:], second[:])
	if err := check(first[:]); !errors.Is(err, protection.ErrOpen) {
		t.Errorf("the email of client 102 passes for that of client 101: %v", err)
	}
}
