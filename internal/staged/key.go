package staged

import (
	"crypto/subtle"
	"fmt"
	"slices"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/protection"
)

// PublicKey returns the public fields of a resource's primary key, in the key's order.
// The sealed values of a record are bound to their texts; see [AppendKey].
func PublicKey(r *contract.Resource) []*contract.Field {
	return slices.DeleteFunc(r.KeyFields(), (*contract.Field).Sensitive)
}

// AppendKey appends a field of [PublicKey] to the key of a [protection.Record]. text is
// the text of the staged record, or that of the column in the target table or of the
// member in an event, cast to text: the key is the same, because the canonical form
// counts. A text that has none, whose record is a reject, counts as it is, and a missing
// one as empty.
func AppendKey(dst []byte, f *contract.Field, text []byte) []byte {
	start := len(dst)
	dst = protection.AppendKey(dst, nil) // the length comes last
	canonical, ok := f.AppendCanonical(dst, text)
	if !ok {
		canonical = append(dst, text...)
	}
	return protection.AppendKey(canonical[:start], canonical[len(dst):])
}

// StoredKey is a sensitive field of a stored record's primary key: its sealed value and
// the token beside it.
type StoredKey struct {
	Sealed, Token []byte
}

// KeyChecker checks that a stored record still has the key with which it was sealed.
// It is not safe for concurrent use.
type KeyChecker struct {
	resource   *contract.Resource
	open       Open
	tokenizers []*protection.Tokenizer
	plain      []byte
	canonical  []byte
}

// NewKeyChecker returns a checker for records of a resource. The tokenizers are by
// field index, nil where there is no token; those of the primary key are used.
func NewKeyChecker(r *contract.Resource, open Open, tokenizers []*protection.Tokenizer) *KeyChecker {
	return &KeyChecker{resource: r, open: open, tokenizers: tokenizers}
}

// Check opens the sensitive fields of a record's primary key and compares their tokens
// with those stored. Nothing sealed binds such a key, so a value of the record belongs
// to it only if Check returns nil. The error is [protection.ErrOpen] if a field does
// not open, has another token or has no canonical form. A resource with a public key
// has nothing to check.
func (c *KeyChecker) Check(of protection.Record, key func(*contract.Field) StoredKey) error {
	defer c.wipe()
	for _, f := range c.resource.KeyFields() {
		if !f.Sensitive() {
			continue
		}
		stored := key(f)
		plain, err := c.open(c.plain[:0], of, f.Name, stored.Sealed)
		if err == nil {
			c.plain = plain
			err = c.compare(f, stored.Token)
		}
		if err != nil {
			return fmt.Errorf("%s, line %d, key %s: %w", c.resource.Name, of.Line, f.Name, err)
		}
	}
	return nil
}

// compare recomputes the token of the field that was opened.
func (c *KeyChecker) compare(f *contract.Field, token []byte) error {
	canonical, ok := f.AppendCanonical(c.canonical[:0], c.plain)
	c.canonical = canonical
	tokenizer := c.tokenizers[f.Index]
	if !ok || tokenizer == nil {
		return protection.ErrOpen
	}
	want := tokenizer.Token(canonical)
	if subtle.ConstantTimeCompare(want[:], token) != 1 {
		return protection.ErrOpen
	}
	return nil
}

func (c *KeyChecker) wipe() {
	clear(c.plain[:cap(c.plain)])
	clear(c.canonical[:cap(c.canonical)])
}
