package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// note is what the last request told the emulator about how it arrived.
func (b *bucket) note(t *testing.T) (as arrived, found bool) {
	t.Helper()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	text := b.headers.Get(signedHeader)
	if text == "" {
		return as, false
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(plain, &as); err != nil {
		t.Fatal(err)
	}
	return as, true
}

// TestSignedAsItArrived: what front changes of a signed request, it tells.
func TestSignedAsItArrived(t *testing.T) {
	b, address, _ := open(t)
	part := strings.Repeat("a", 4*referenceBytes)
	const authorization = "AWS4-HMAC-SHA256 Credential=AKIA/20241008/eu-west-1/s3/aws4_request, " +
		"SignedHeaders=content-length;host;range;x-amz-content-sha256, Signature=00"
	call(t, http.MethodPut, address+"/work/a.copy?partNumber=1&uploadId=u", part,
		"Authorization", authorization, "X-Amz-Content-Sha256", "hash")
	as, found := b.note(t)
	if !found || as.Method != http.MethodPut || as.Headers["content-length"] != "256" || as.Headers["x-amz-content-sha256"] != "hash" ||
		as.Headers["host"] != strings.TrimPrefix(address, "http://") {
		t.Errorf("a part: %+v, %v", as, found)
	}
	call(t, http.MethodHead, address+"/work/a.copy", "", "Authorization", authorization, "Range", "bytes=1-2")
	if as, found = b.note(t); !found || as.Method != http.MethodHead || as.Headers["range"] != "bytes=1-2" {
		t.Errorf("a read: %+v, %v", as, found)
	}
	call(t, http.MethodPut, address+"/work/b.json", "{}", "Authorization", authorization)
	if as, found = b.note(t); found {
		t.Errorf("a request that stays as it is: %+v", as)
	}
	call(t, http.MethodGet, address+"/work/a.copy", "")
	if as, found = b.note(t); found {
		t.Errorf("a request without a signature: %+v", as)
	}
}

// TestSignedByTheSDK: the names that the SDK's signer signs are those that are told.
func TestSignedByTheSDK(t *testing.T) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/work/a.copy", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Range", "bytes=0-9")
	owner := aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret", SessionToken: "token"}
	if err := v4.NewSigner().SignHTTP(t.Context(), owner, request, "UNSIGNED-PAYLOAD", "s3", "eu-west-1", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	sign(request)
	if request.Header.Get(signedHeader) == "" {
		t.Fatalf("nothing is told of %q", request.Header.Get("Authorization"))
	}
}

// TestOverTLS: the emulator takes every request for one over TLS.
func TestOverTLS(t *testing.T) {
	b, address, _ := open(t)
	for _, path := range []string{"/work/a.copy", "/work/a.json", "/work?list-type=2"} {
		call(t, http.MethodGet, address+path, "")
		b.mutex.Lock()
		if got := b.headers.Get("X-Forwarded-Proto"); got != "https" {
			t.Errorf("%s: %q", path, got)
		}
		b.mutex.Unlock()
	}
}
