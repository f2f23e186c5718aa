package protection

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const (
	// TokenKeyVersion is the first byte of every token. KMS HMAC keys do not
	// rotate by themselves; a new one gets the next version, and all tokens are
	// made anew from the ciphertexts.
	TokenKeyVersion = 1

	// TokenSize is the length of a token in bytes: the key's version, then the
	// leftmost 16 bytes of an HMAC-SHA-256 (truncation: RFC 2104, section 5). At
	// 2^40 distinct values two share a token with a probability below 2^-48.
	TokenSize = 1 + tokenMacSize

	tokenMacSize    = 16
	tokenCheckSize  = 16
	tokenKeyLabel   = "etl-dataloader token v1:"          //nolint:gosec // a label, no secret
	tokenCheckLabel = "etl-dataloader token key check v1" //nolint:gosec // likewise
)

// TokenKeyCheck has the HMAC key keyID make a value that tells it from any other key. It
// is made under a label of its own, so it reveals nothing about tokens, and it may be
// stored in clear. It makes one KMS call, and fails as [NewTokenKey] does.
func TokenKeyCheck(ctx context.Context, client KMS, keyID string) ([]byte, error) {
	out, err := client.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId:        aws.String(keyID),
		MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
		Message:      []byte(tokenCheckLabel),
	})
	if err != nil {
		return nil, kmsError("make the check value of the token key", err)
	}
	defer clear(out.Mac)
	if len(out.Mac) != sha256.Size {
		return nil, fmt.Errorf("protection: KMS made a check value of %d bytes", len(out.Mac))
	}
	return bytes.Clone(out.Mac[:tokenCheckSize]), nil
}

// TokenKey is the token key of one domain, in memory only. Tokens of two
// domains are unrelated, even for equal values.
type TokenKey struct {
	domain string
	secret []byte
}

// NewTokenKey has KMS derive the token key of a domain, such as "client_id",
// from the HMAC key keyID: an HMAC over a fixed label, the same at each call,
// so nothing needs to store it. It makes one KMS call, and fails with
// *fault.Transient if KMS did not answer or is busy.
func NewTokenKey(ctx context.Context, client KMS, keyID, domain string) (TokenKey, error) {
	if domain == "" {
		return TokenKey{}, errors.New("protection: a token key needs a domain")
	}
	out, err := client.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId:        aws.String(keyID),
		MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
		Message:      []byte(tokenKeyLabel + domain),
	})
	if err != nil {
		return TokenKey{}, kmsError("derive the token key of domain "+domain, err)
	}
	if len(out.Mac) != sha256.Size {
		return TokenKey{}, fmt.Errorf("protection: KMS made a token key of %d bytes for domain %s", len(out.Mac), domain)
	}
	return TokenKey{domain: domain, secret: out.Mac}, nil
}

// Wipe clears the key and all copies of this TokenKey. A [Tokenizer] made before
// works on.
func (k TokenKey) Wipe() {
	clear(k.secret)
}

// Format implements [fmt.Formatter] for every verb, so that no way of printing
// shows the key.
func (k TokenKey) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "TokenKey(%s)", k.domain) }

// LogValue implements [slog.LogValuer].
func (k TokenKey) LogValue() slog.Value { return slog.StringValue("TokenKey(" + k.domain + ")") }

// Tokenizer makes the tokens of one domain. It is not safe for concurrent use;
// make one per goroutine, it is cheap.
type Tokenizer struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

// NewTokenizer returns a Tokenizer for key. It fails if key is the zero
// TokenKey, because anybody could recompute the tokens of an empty key.
func NewTokenizer(key TokenKey) (*Tokenizer, error) {
	if len(key.secret) != sha256.Size {
		return nil, errors.New("protection: a tokenizer needs a key from NewTokenKey")
	}
	return &Tokenizer{mac: hmac.New(sha256.New, key.secret)}, nil
}

// Token returns the token of a value in canonical form. Values have equal tokens if
// and, for all practical purposes, only if their canonical forms are equal.
func (t *Tokenizer) Token(canonical []byte) [TokenSize]byte {
	t.mac.Reset()
	_, _ = t.mac.Write(canonical) // hash.Hash never fails
	sum := t.mac.Sum(t.sum[:0])
	token := [TokenSize]byte{TokenKeyVersion}
	copy(token[1:], sum)
	return token
}
