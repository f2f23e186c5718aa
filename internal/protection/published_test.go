package protection

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// vectors are those that docs/ciphertext-format.md publishes. Values that were sealed
// must open for ever, so vectors are added and never changed.
type vectors struct {
	DataKeys  map[string]string `json:"data_keys"` // hex, by id
	Values    []vector          `json:"values"`
	TokensKey string            `json:"tokens_key"` // hex: the HMAC key in KMS
	Tokens    []tokenVector     `json:"tokens"`
	KeyCheck  string            `json:"tokens_key_check"` // hex
}

type vector struct {
	Name       string   `json:"name"`
	ImportID   string   `json:"import_id"`
	Generation int      `json:"generation"`
	Resource   string   `json:"resource"`
	Column     string   `json:"column"`
	Line       int64    `json:"line"`
	Key        []string `json:"key"`
	Sealed     string   `json:"sealed"`
	Plaintext  *string  `json:"plaintext"` // null: it does not open
}

type tokenVector struct {
	Domain    string `json:"domain"`
	Canonical string `json:"canonical"`
	Token     string `json:"token"`
}

func loadVectors(t *testing.T) (v vectors) {
	t.Helper()
	text, err := os.ReadFile("../../docs/ciphertext-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	if len(v.Values) < 25 || len(v.Tokens) < 4 {
		t.Fatalf("%d values and %d tokens", len(v.Values), len(v.Tokens))
	}
	return v
}

// TestPublishedValues: the published values open, or do not, as published. A program
// that shares no code with this one checks the same in infra/proof/ciphertext.
func TestPublishedValues(t *testing.T) {
	v := loadVectors(t)
	keys := func(id uint32) (DataKey, bool) {
		text, known := v.DataKeys[strconv.FormatUint(uint64(id), 10)]
		if !known {
			return DataKey{}, false
		}
		key, err := NewDataKey(id, unhex(t, text))
		if err != nil {
			t.Fatal(err)
		}
		return key, true
	}
	for _, c := range v.Values {
		t.Run(c.Name, func(t *testing.T) {
			of := Record{Line: c.Line}
			for _, text := range c.Key {
				of.Key = AppendKey(of.Key, []byte(text))
			}
			opener := newKeyringOpener(keys, Scope{ImportID: c.ImportID, Generation: c.Generation, Resource: c.Resource})
			got, err := opener.Open(nil, of, c.Column, unhex(t, c.Sealed))
			switch {
			case c.Plaintext == nil && !errors.Is(err, ErrOpen):
				t.Errorf("it opens, or fails with %v", err)
			case c.Plaintext != nil && (err != nil || string(got) != *c.Plaintext):
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// secretKMS derives macs from a given key.
type secretKMS struct {
	KMS
	secret []byte
}

func (k secretKMS) GenerateMac(_ context.Context, in *kms.GenerateMacInput, _ ...func(*kms.Options)) (*kms.GenerateMacOutput, error) {
	mac := hmac.New(sha256.New, k.secret)
	_, _ = mac.Write(in.Message)
	return &kms.GenerateMacOutput{Mac: mac.Sum(nil)}, nil
}

func tokenOf(t *testing.T, secret []byte, domain, canonical string) []byte {
	t.Helper()
	key, err := NewTokenKey(t.Context(), secretKMS{secret: secret}, "alias/tokens", domain)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := NewTokenizer(key)
	if err != nil {
		t.Fatal(err)
	}
	token := tokenizer.Token([]byte(canonical))
	return token[:]
}

func TestPublishedTokens(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.Tokens {
		if got := hex.EncodeToString(tokenOf(t, unhex(t, v.TokensKey), c.Domain, c.Canonical)); got != c.Token {
			t.Errorf("the token of a %s is %s, want %s", c.Domain, got, c.Token)
		}
	}
	check, err := TokenKeyCheck(t.Context(), secretKMS{secret: unhex(t, v.TokensKey)}, "alias/tokens")
	if err != nil || hex.EncodeToString(check) != v.KeyCheck {
		t.Errorf("the check value is %x, %v, want %s", check, err, v.KeyCheck)
	}
	if other, err := TokenKeyCheck(t.Context(), secretKMS{secret: unhex(t, v.DataKeys["1"])}, "alias/tokens"); err != nil || bytes.Equal(other, check) {
		t.Errorf("another key has the same check value: %v", err)
	}
}
