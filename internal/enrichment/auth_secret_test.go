package enrichment

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// canary stands for a part of a secret, which must appear nowhere but in a header.
const canary = "s3cr3t-canary"

// authority is a private authority with the certificates that it issues, in PEM.
type authority struct {
	certificate string
	parsed      *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.parsed, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.certificate = encoded("CERTIFICATE", der)
	return a
}

// issue returns a certificate for this machine and its key.
func (a *authority) issue(t *testing.T) (certificate, key string) {
	t.Helper()
	own := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "loader"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.parsed, &own.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return encoded("CERTIFICATE", der), encoded("PRIVATE KEY", text)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encoded(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// secretOf writes a secret.
func secretOf(t *testing.T, members map[string]any) string {
	t.Helper()
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSecrets(t *testing.T) {
	a := newAuthority(t)
	certificate, key := a.issue(t)
	for name, c := range map[string]struct {
		text  string
		check func(*secret) bool
	}{
		"header": {`{"type":"header","name":"X-Api-Key","value":"k"}`, func(s *secret) bool { return s.name == "X-Api-Key" && s.value == "k" }},
		"a header with a static token": {`{"type":"header","name":"Authorization","value":"Bearer a.b"}`, func(s *secret) bool {
			return s.name == "Authorization" && s.value == "Bearer a.b"
		}},
		"basic": {`{"type":"basic","username":"Aladdin","password":"open sesame"}`, func(s *secret) bool {
			return s.name == "Authorization" && s.value == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
		}},
		"oauth2": {`{"type":"oauth2","token_url":"https://login.example.com/token","client_id":"i","client_secret":"s"}`, func(s *secret) bool {
			return s.oauth.TokenURL == "https://login.example.com/token" && s.oauth.ClientID == "i" && s.oauth.ClientSecret == "s" && s.oauth.Scopes == nil
		}},
		"oauth2 with scopes": {`{"type":"oauth2","token_url":"http://127.0.0.1:1/t","client_id":"i","client_secret":"s","scopes":["a","b"]}`, func(s *secret) bool {
			return strings.Join(s.oauth.Scopes, " ") == "a b"
		}},
		"mtls": {secretOf(t, map[string]any{"type": "mtls", "certificate": certificate, "key": key}), func(s *secret) bool {
			return len(s.mutual.Certificates) == 1 && s.mutual.RootCAs == nil
		}},
		"mtls with an authority": {secretOf(t, map[string]any{"type": "mtls", "certificate": certificate, "key": key, "authority": a.certificate}), func(s *secret) bool {
			return s.mutual.RootCAs != nil
		}},
	} {
		if s, err := parseSecret(c.text); err != nil || !c.check(s) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// TestSecretsRefused: what is not exactly a secret is refused, and the error quotes
// nothing of it.
func TestSecretsRefused(t *testing.T) {
	certificate, _ := newAuthority(t).issue(t)
	_, otherKey := newAuthority(t).issue(t)
	for name, text := range map[string]string{
		"empty":                       ``,
		"the bare key":                canary,
		"a JSON text":                 `"` + canary + `"`,
		"an array":                    `["` + canary + `"]`,
		"more after it":               `{"type":"header","name":"X-Api-Key","value":"` + canary + `"} ` + canary,
		"an invalid byte":             "{\"type\":\"header\",\"name\":\"X-Api-Key\",\"value\":\"" + canary + "\xff\"}",
		"no type":                     `{"name":"X-Api-Key","value":"` + canary + `"}`,
		"another type":                `{"type":"` + canary + `"}`,
		"a type in capitals":          `{"type":"Header","name":"X-Api-Key","value":"` + canary + `"}`,
		"a number":                    `{"type":"header","name":"X-Api-Key","value":1234567}`,
		"a null":                      `{"type":"header","name":"X-Api-Key","value":null}`,
		"an empty value":              `{"type":"header","name":"` + canary + `","value":""}`,
		"no value":                    `{"type":"header","name":"` + canary + `"}`,
		"a member too many":           `{"type":"header","name":"X-Api-Key","value":"` + canary + `","` + canary + `":"x"}`,
		"the members of another type": `{"type":"basic","name":"X-Api-Key","value":"` + canary + `"}`,
		"scopes of a header":          `{"type":"header","name":"X-Api-Key","value":"` + canary + `","scopes":[]}`,
		"a member twice":              `{"type":"header","name":"X-Api-Key","value":"` + canary + `","value":"` + canary + `"}`,
		"a name that is none":         `{"type":"header","name":"` + canary + ` x","value":"v"}`,
		"the name of every call":      `{"type":"header","name":"content-TYPE","value":"` + canary + `"}`,
		"a line break in a value":     `{"type":"header","name":"X-Api-Key","value":"` + canary + `\r\nX-Other: 1"}`,
		"a value that is not ASCII":   `{"type":"header","name":"X-Api-Key","value":"` + canary + `é"}`,
		"a space around a value":      `{"type":"header","name":"X-Api-Key","value":" ` + canary + `"}`,
		"a colon in a username":       `{"type":"basic","username":"a:` + canary + `","password":"p"}`,
		"a control character":         `{"type":"basic","username":"u","password":"` + canary + `\n"}`,
		"no token_url":                `{"type":"oauth2","client_id":"i","client_secret":"` + canary + `"}`,
		"a token_url without TLS":     `{"type":"oauth2","token_url":"http://` + canary + `.example.com/t","client_id":"i","client_secret":"` + canary + `"}`,
		"a token_url with a password": `{"type":"oauth2","token_url":"https://u:` + canary + `@example.com/t","client_id":"i","client_secret":"s"}`,
		"a token_url with a query":    `{"type":"oauth2","token_url":"https://example.com/t?` + canary + `","client_id":"i","client_secret":"s"}`,
		"scopes as a text":            `{"type":"oauth2","token_url":"https://example.com/t","client_id":"i","client_secret":"s","scopes":"` + canary + `"}`,
		"a scope that is a number":    `{"type":"oauth2","token_url":"https://example.com/t","client_id":"i","client_secret":"` + canary + `","scopes":[1]}`,
		"a certificate that is none":  `{"type":"mtls","certificate":"` + canary + `","key":"` + canary + `"}`,
		"the key of another":          secretOf(t, map[string]any{"type": "mtls", "certificate": certificate, "key": otherKey}),
		"an authority that is none": secretOf(t, func() map[string]any {
			c, k := newAuthority(t).issue(t)
			return map[string]any{"type": "mtls", "certificate": c, "key": k, "authority": canary}
		}()),
	} {
		s, err := parseSecret(text)
		if err == nil {
			t.Errorf("%s: %+v", name, s)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v quotes the secret", name, err)
		}
	}
}
