package protection

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"etl-dataloader/internal/fault"
)

// fakeKMS wraps data keys by remembering them with their encryption context,
// and derives macs from one secret. It counts its calls.
type fakeKMS struct {
	calls   int
	err     error // what every call fails with, if set
	size    int   // length of what it makes; 0 is 32 bytes
	wrapped map[string]wrappedKey

	plaintext []byte // what Decrypt returned last
}

type wrappedKey struct {
	plaintext []byte
	context   map[string]string
}

func (f *fakeKMS) made() []byte {
	size := KeySize
	if f.size != 0 {
		size = f.size
	}
	return bytes.Repeat([]byte{byte(f.calls)}, size)
}

func (f *fakeKMS) GenerateDataKeyWithoutPlaintext(_ context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput, _ ...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	if *in.KeyId != "alias/fields" || in.KeySpec != types.DataKeySpecAes256 {
		return nil, errors.New("unexpected key or spec")
	}
	if f.wrapped == nil {
		f.wrapped = map[string]wrappedKey{}
	}
	blob := "wrapped " + string(f.made())
	f.wrapped[blob] = wrappedKey{f.made(), in.EncryptionContext}
	return &kms.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: []byte(blob)}, nil
}

func (f *fakeKMS) Decrypt(_ context.Context, in *kms.DecryptInput, _ ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	if aws.ToString(in.KeyId) != "alias/fields" {
		return nil, &types.IncorrectKeyException{}
	}
	key, ok := f.wrapped[string(in.CiphertextBlob)]
	if !ok || !maps.Equal(key.context, in.EncryptionContext) {
		return nil, &types.InvalidCiphertextException{}
	}
	f.plaintext = bytes.Clone(key.plaintext)
	return &kms.DecryptOutput{Plaintext: f.plaintext}, nil
}

func (f *fakeKMS) GenerateMac(_ context.Context, in *kms.GenerateMacInput, _ ...func(*kms.Options)) (*kms.GenerateMacOutput, error) {
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	if *in.KeyId != "alias/tokens" || in.MacAlgorithm != types.MacAlgorithmSpecHmacSha256 {
		return nil, errors.New("unexpected key or algorithm")
	}
	mac := hmac.New(sha256.New, []byte("secret inside KMS"))
	_, _ = mac.Write(in.Message)
	return &kms.GenerateMacOutput{Mac: mac.Sum(nil)[:len(f.made())]}, nil
}

func TestDataKeyThroughKMS(t *testing.T) {
	client := &fakeKMS{}
	ciphertext, err := GenerateDataKey(t.Context(), client, "alias/fields", "IMPORT_A")
	if err != nil {
		t.Fatal(err)
	}
	wrapped := client.wrapped[string(ciphertext)]
	if want := map[string]string{"system": "ETL-DataLoader", "import_id": "IMPORT_A"}; !maps.Equal(wrapped.context, want) {
		t.Errorf("encryption context is %v, want %v", wrapped.context, want)
	}
	key, err := DecryptDataKey(t.Context(), client, "alias/fields", "IMPORT_A", 7, ciphertext)
	if err != nil || key.id != 7 || !bytes.Equal(key.secret.bytes[:], wrapped.plaintext) {
		t.Errorf("decrypted %v, %v, which is not the key that was wrapped", key, err)
	}
	if !bytes.Equal(client.plaintext, make([]byte, KeySize)) {
		t.Error("what KMS answered is still in memory")
	}
	if client.calls != 2 {
		t.Errorf("%d calls, want 2", client.calls)
	}
	for name, c := range map[string][2]string{"another import": {"alias/fields", "IMPORT_B"}, "another KMS key": {"alias/storage", "IMPORT_A"}} {
		if _, err := DecryptDataKey(t.Context(), client, c[0], c[1], 7, ciphertext); err == nil {
			t.Errorf("the data key opens for %s", name)
		}
	}
}

func TestKMSFailures(t *testing.T) {
	throttled := &smithy.GenericAPIError{Code: "ThrottlingException", Fault: smithy.FaultClient}
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Fault: smithy.FaultClient}
	calls := map[string]func(context.Context, KMS) error{
		"GenerateDataKey": func(ctx context.Context, c KMS) error {
			_, err := GenerateDataKey(ctx, c, "alias/fields", "IMPORT_A")
			return err
		},
		"Decrypt": func(ctx context.Context, c KMS) error {
			_, err := DecryptDataKey(ctx, c, "alias/fields", "IMPORT_A", 1, nil)
			return err
		},
		"GenerateMac": func(ctx context.Context, c KMS) error {
			_, err := NewTokenKey(ctx, c, "alias/tokens", "nif")
			return err
		},
		"check value": func(ctx context.Context, c KMS) error {
			_, err := TokenKeyCheck(ctx, c, "alias/tokens")
			return err
		},
	}
	for name, call := range calls {
		for _, c := range []struct {
			name      string
			err       error
			transient bool
		}{
			{"throttled", throttled, true},
			{"denied", denied, false},
			{"cancelled", &aws.RequestCanceledError{Err: context.Canceled}, false},
		} {
			t.Run(name+" "+c.name, func(t *testing.T) {
				err := call(t.Context(), &fakeKMS{err: c.err})
				if !errors.Is(err, c.err) {
					t.Errorf("%v does not hold the cause", err)
				}
				if _, transient := errors.AsType[*fault.Transient](err); transient != c.transient {
					t.Errorf("transient is %v, want %v", transient, c.transient)
				}
			})
		}
	}
	if _, err := GenerateDataKey(t.Context(), noKey{}, "alias/fields", "IMPORT_A"); err == nil {
		t.Error("an answer without a data key is accepted")
	}
	short := &fakeKMS{wrapped: map[string]wrappedKey{"x": {make([]byte, 16), encryptionContext("IMPORT_A")}}}
	if _, err := DecryptDataKey(t.Context(), short, "alias/fields", "IMPORT_A", 1, []byte("x")); err == nil {
		t.Error("a decrypted key of 16 bytes is accepted")
	}
	if _, err := NewTokenKey(t.Context(), &fakeKMS{size: 16}, "alias/tokens", "nif"); err == nil {
		t.Error("a token key of 16 bytes is accepted")
	}
	if _, err := TokenKeyCheck(t.Context(), &fakeKMS{size: 16}, "alias/tokens"); err == nil {
		t.Error("a check value of a mac of 16 bytes is accepted")
	}
	if _, err := NewTokenKey(t.Context(), &fakeKMS{}, "alias/tokens", ""); err == nil {
		t.Error("a token key without a domain is accepted")
	}
}

// noKey is a KMS that answers without a data key.
type noKey struct{ KMS }

func (noKey) GenerateDataKeyWithoutPlaintext(context.Context, *kms.GenerateDataKeyWithoutPlaintextInput, ...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	return &kms.GenerateDataKeyWithoutPlaintextOutput{}, nil
}

// TestWipe: a wiped key is gone from memory and seals and opens nothing new; what was
// made from it before works on.
func TestWipe(t *testing.T) {
	key := testKey(t, 1)
	sealer, opener := testSealer(t, key, testScope, 0), NewOpener(key, testScope)
	sealed := sealer.Seal(nil, at(1), "nif", []byte("0123456789"))
	other := testSealer(t, key, testScope, 1).Seal(nil, at(1), "nif", []byte("0123456789"))
	if _, err := opener.Open(nil, at(1), "nif", sealed); err != nil {
		t.Fatal(err)
	}
	bytesOf := &key.secret.bytes
	key.Wipe()
	if *bytesOf != [KeySize]byte{} {
		t.Error("the key is still in memory")
	}
	if _, err := NewSealer(key, testScope, 0); err == nil {
		t.Error("a wiped key seals")
	}
	if _, err := opener.Open(nil, at(1), "nif", other); !errors.Is(err, ErrOpen) {
		t.Errorf("a wiped key opens a chunk that the opener had not met: %v", err)
	}
	if _, err := opener.Open(nil, at(1), "nif", sealer.Seal(nil, at(1), "nif", nil)); err != nil {
		t.Errorf("what was made before no longer works: %v", err)
	}
	DataKey{}.Wipe()

	tokenKey, err := NewTokenKey(t.Context(), &fakeKMS{}, "alias/tokens", "nif")
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := NewTokenizer(tokenKey)
	if err != nil {
		t.Fatal(err)
	}
	before := tokenizer.Token([]byte("1"))
	tokenKey.Wipe()
	if !bytes.Equal(tokenKey.secret, make([]byte, sha256.Size)) {
		t.Error("the token key is still in memory")
	}
	if tokenizer.Token([]byte("1")) != before {
		t.Error("the tokenizer made other tokens after its key was wiped")
	}
}

func testTokenizer(t testing.TB, domain string) *Tokenizer {
	t.Helper()
	key, err := NewTokenKey(t.Context(), &fakeKMS{}, "alias/tokens", domain)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := NewTokenizer(key)
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

func TestTokens(t *testing.T) {
	clients, again, nifs := testTokenizer(t, "client_id"), testTokenizer(t, "client_id"), testTokenizer(t, "nif")
	token := clients.Token([]byte("1024"))
	if clients.Token([]byte("1024")) != token || again.Token([]byte("1024")) != token {
		t.Error("the token of a value is not always the same")
	}
	if clients.Token([]byte("1025")) == token || clients.Token(nil) == token {
		t.Error("two values have one token")
	}
	if nifs.Token([]byte("1024")) == token {
		t.Error("two domains have one token")
	}

	// By the definition, as tokens at rest depend on it.
	inner := hmac.New(sha256.New, []byte("secret inside KMS"))
	_, _ = inner.Write([]byte("etl-dataloader token v1:client_id"))
	mac := hmac.New(sha256.New, inner.Sum(nil))
	_, _ = mac.Write([]byte("1024"))
	if got, want := hex.EncodeToString(token[:]), "01"+hex.EncodeToString(mac.Sum(nil)[:16]); got != want {
		t.Errorf("token is %s, want %s", got, want)
	}
}

func TestTokenKeyIsHidden(t *testing.T) {
	key, err := NewTokenKey(t.Context(), &fakeKMS{}, "alias/tokens", "nif")
	if err != nil {
		t.Fatal(err)
	}
	assertHidden(t, key, "TokenKey(nif)", hex.EncodeToString(key.secret[:4]))
	if _, err := NewTokenizer(TokenKey{}); err == nil {
		t.Error("the zero key makes tokens")
	}
}

func TestTokenDoesNotAllocate(t *testing.T) {
	tokenizer, value := testTokenizer(t, "nif"), []byte("0123456789")
	if n := testing.AllocsPerRun(1000, func() { _ = tokenizer.Token(value) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkToken(b *testing.B) {
	tokenizer, value := testTokenizer(b, "nif"), []byte("0123456789")
	b.ReportAllocs()
	for b.Loop() {
		_ = tokenizer.Token(value)
	}
}
