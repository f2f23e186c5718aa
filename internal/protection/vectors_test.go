package protection

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Appendix A of RFC 5869, the SHA-256 cases.
func TestHKDFVectors(t *testing.T) {
	long := func(from, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(from + i)
		}
		return hex.EncodeToString(b)
	}
	for _, c := range []struct{ name, secret, salt, info, okm string }{
		{
			"A.1", strings.Repeat("0b", 22), "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
			"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
		},
		{
			"A.2", long(0x00, 80), long(0x60, 80), long(0xb0, 80),
			"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
		},
		{
			"A.3", strings.Repeat("0b", 22), "", "",
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(t, c.okm)
			got, err := hkdf.Key(sha256.New, unhex(t, c.secret), unhex(t, c.salt), string(unhex(t, c.info)), len(want))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got %x, want %x", got, want)
			}
		})
	}
}

// Section 4 of RFC 4231.
func TestHMACVectors(t *testing.T) {
	for _, c := range []struct{ name, key, data, mac string }{
		{"4.2", strings.Repeat("0b", 20), hex.EncodeToString([]byte("Hi There")), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"4.3", hex.EncodeToString([]byte("Jefe")), hex.EncodeToString([]byte("what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"4.4", strings.Repeat("aa", 20), strings.Repeat("dd", 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{"4.7", strings.Repeat("aa", 131), hex.EncodeToString([]byte("Test Using Larger Than Block-Size Key - Hash Key First")), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mac := hmac.New(sha256.New, unhex(t, c.key))
			_, _ = mac.Write([]byte("a use before the reset"))
			mac.Reset() // as Tokenizer does
			_, _ = mac.Write(unhex(t, c.data))
			if got := hex.EncodeToString(mac.Sum(nil)); got != c.mac {
				t.Errorf("got %s, want %s", got, c.mac)
			}
		})
	}
}

// Appendix B of McGrew and Viega, "The Galois/Counter Mode of Operation", as
// submitted to NIST: the AES-256 cases with nonces of 96 bits.
func TestGCMVectors(t *testing.T) {
	const key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
	const nonce = "cafebabefacedbaddecaf888"
	const text = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
	const sealed = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	zeros := func(n int) string { return strings.Repeat("00", n) }
	for _, c := range []struct{ name, key, nonce, text, associated, sealed, tag string }{
		{"13", zeros(32), zeros(12), "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
		{"14", zeros(32), zeros(12), zeros(16), "", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
		{"15", key, nonce, text + "1aafd255", "", sealed + "898015ad", "b094dac5d93471bdec1a502270e3cc6c"},
		{"16", key, nonce, text, "feedfacedeadbeeffeedfacedeadbeefabaddad2", sealed, "76fc6ece0f4e1768cddf8853bb2d551b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			block, err := aes.NewCipher(unhex(t, c.key))
			if err != nil {
				t.Fatal(err)
			}
			fixed, err := cipher.NewGCM(block)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(fixed.Seal(nil, unhex(t, c.nonce), unhex(t, c.text), unhex(t, c.associated))); got != c.sealed+c.tag {
				t.Errorf("NewGCM seals %s, want %s%s", got, c.sealed, c.tag)
			}
			// The same vector through the form that the package uses.
			random, err := cipher.NewGCMWithRandomNonce(block)
			if err != nil {
				t.Fatal(err)
			}
			got, err := random.Open(nil, nil, unhex(t, c.nonce+c.sealed+c.tag), unhex(t, c.associated))
			if err != nil || hex.EncodeToString(got) != c.text {
				t.Errorf("NewGCMWithRandomNonce opens %x, %v, want %s", got, err, c.text)
			}
		})
	}
}

// The layout of a sealed value, rebuilt here without the package: HKDF by its
// definition over HMAC, associated data by hand, and plain GCM with the nonce
// that leads the ciphertext. Data at rest depends on every byte of it.
func TestFormat(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, KeySize)
	key, err := NewDataKey(0x01020304, secret)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := NewSealer(key, Scope{ImportID: "IMPORT_20241009_150000_001", Generation: 2, Resource: "clients"}, 5)
	if err != nil {
		t.Fatal(err)
	}
	record := Record{Line: 42, Key: AppendKey(AppendKey(nil, []byte("4711")), []byte("é"))}
	sealed := sealer.Seal(nil, record, "nif", []byte("0123456789"))

	const scope = "\x00\x00\x00\x1aIMPORT_20241009_150000_001" + "\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x02" + "\x00\x00\x00\x07clients"
	info := "\x00\x00\x00\x1b" + "etl-dataloader field key v1" + scope + "\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x05"
	associated := "\x00\x00\x00\x01\x02" + scope + "\x00\x00\x00\x03nif" + "\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x2a" +
		"\x00\x00\x00\x044711" + "\x00\x00\x00\x02é"
	extract := hmac.New(sha256.New, make([]byte, sha256.Size))
	_, _ = extract.Write(secret)
	expand := hmac.New(sha256.New, extract.Sum(nil))
	_, _ = expand.Write([]byte(info + "\x01"))
	block, err := aes.NewCipher(expand.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}

	if got, want := hex.EncodeToString(sealed[:headerSize]), "020102030400000005"; got != want {
		t.Errorf("header is %s, want %s", got, want)
	}
	if got, want := len(sealed), len("0123456789")+Overhead; got != want {
		t.Errorf("length is %d, want %d", got, want)
	}
	got, err := plain.Open(nil, sealed[headerSize:headerSize+12], sealed[headerSize+12:], []byte(associated))
	if err != nil || string(got) != "0123456789" {
		t.Errorf("plain GCM opens %q, %v", got, err)
	}
}
