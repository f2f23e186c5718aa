package reveal

import (
	"context"
	"errors"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/staged"
)

// KMSKeys gets keys from KMS, and the wrapped ones from the database.
type KMSKeys struct {
	Wrapped interface {
		DataKey(ctx context.Context, importID string) (key postgres.DataKey, ok bool, err error)
	}
	KMS         protection.KMS
	FieldsKeyID string
	TokensKeyID string
}

// DataKey implements [Keys].
func (k KMSKeys) DataKey(ctx context.Context, importID string) (protection.DataKey, error) {
	wrapped, ok, err := k.Wrapped.DataKey(ctx, importID)
	if err != nil {
		return protection.DataKey{}, err
	}
	if !ok {
		return protection.DataKey{}, refused(RefusedNoKey)
	}
	return protection.DecryptDataKey(ctx, k.KMS, k.FieldsKeyID, importID, wrapped.ID, wrapped.Ciphertext)
}

// TokenKey implements [Keys].
func (k KMSKeys) TokenKey(ctx context.Context, domain string) (protection.TokenKey, error) {
	return protection.NewTokenKey(ctx, k.KMS, k.TokensKeyID, domain)
}

// box holds the keys of one request. It is not safe for concurrent use.
type box struct {
	keys   Keys
	data   map[string]protection.DataKey  // by import
	tokens map[string]protection.TokenKey // by domain
}

func newBox(keys Keys) *box {
	return &box{keys: keys, data: map[string]protection.DataKey{}, tokens: map[string]protection.TokenKey{}}
}

func (b *box) wipe() {
	for _, key := range b.data {
		key.Wipe()
	}
	for _, key := range b.tokens {
		key.Wipe()
	}
}

// opener returns what opens the values of one record.
func (b *box) opener(ctx context.Context, of postgres.Origin, res *contract.Resource) (*opener, error) {
	key, ok := b.data[of.ImportID]
	if !ok {
		var err error
		if key, err = b.keys.DataKey(ctx, of.ImportID); err != nil {
			return nil, err
		}
		b.data[of.ImportID] = key
	}
	scope := protection.Scope{ImportID: of.ImportID, Generation: of.Generation, Resource: res.Name}
	return &opener{box: b, open: protection.NewOpener(key, scope).Open, of: protection.Record{Line: of.Line}}, nil
}

// tokenizer returns what makes the tokens of a domain.
func (b *box) tokenizer(ctx context.Context, domain string) (*protection.Tokenizer, error) {
	key, ok := b.tokens[domain]
	if !ok {
		var err error
		if key, err = b.keys.TokenKey(ctx, domain); err != nil {
			return nil, err
		}
		b.tokens[domain] = key
	}
	return protection.NewTokenizer(key)
}

// token returns the token of a value in canonical form.
func (r *Revealer) token(ctx context.Context, f *contract.Field, canonical []byte) ([]byte, error) {
	b := newBox(r.config.Keys)
	defer b.wipe()
	tokenizer, err := b.tokenizer(ctx, f.Domain)
	if err != nil {
		return nil, err
	}
	token := tokenizer.Token(canonical)
	return token[:], nil
}

// opener opens the values of one record.
type opener struct {
	box  *box
	open staged.Open
	of   protection.Record
}

// bind binds the values to a public field of the record's key, in the key's order.
func (o *opener) bind(f *contract.Field, text []byte) { o.of.Key = staged.AppendKey(o.of.Key, f, text) }

// unseal opens a value. Its error does not say more than that it does not open.
func (o *opener) unseal(column string, sealed []byte) ([]byte, error) {
	plain, err := o.open(nil, o.of, column, sealed)
	if errors.Is(err, protection.ErrOpen) {
		return nil, refused(RefusedDamaged)
	}
	return plain, err
}

// check fails unless the sensitive fields of the record's key are those with which it
// was sealed: nothing sealed binds such a key. stored returns what is stored of one.
func (o *opener) check(ctx context.Context, res *contract.Resource, stored func(*contract.Field) staged.StoredKey) error {
	tokenizers := make([]*protection.Tokenizer, len(res.Fields))
	for _, f := range res.KeyFields() {
		if !f.Sensitive() {
			continue
		}
		var err error
		if tokenizers[f.Index], err = o.box.tokenizer(ctx, f.Domain); err != nil {
			return err
		}
	}
	if err := staged.NewKeyChecker(res, o.open, tokenizers).Check(o.of, stored); err != nil {
		return refused(RefusedDamaged)
	}
	return nil
}

// value opens the value of a field and adds it to a record.
func (o *opener) value(record *Record, f *contract.Field, sealed []byte) error {
	v := Value{Field: f.Name}
	if sealed != nil {
		plain, err := o.unseal(f.Name, sealed)
		if err != nil {
			return err
		}
		text := string(plain)
		v.Text = &text
	}
	record.Values = append(record.Values, v)
	return nil
}
