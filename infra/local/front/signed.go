package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// signedHeader tells the emulator how a request arrived that front has changed:
// its signature covers that (infra/local/emulator/signatures.py).
const signedHeader = "X-Front-Signed"

// arrived is a request as its client signed it.
type arrived struct {
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
}

// sign notes the method and the signed headers of a request that is about to be
// changed. A request without a signature stays as it is.
func sign(r *http.Request) {
	_, after, found := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	if !found {
		return
	}
	names, _, _ := strings.Cut(after, ",")
	as := arrived{Method: r.Method, Headers: map[string]string{}}
	for name := range strings.SplitSeq(names, ";") {
		switch name {
		case "host":
			as.Headers[name] = r.Host
		case "content-length":
			as.Headers[name] = strconv.FormatInt(r.ContentLength, 10)
		default:
			as.Headers[name] = strings.Join(r.Header.Values(name), ",")
		}
	}
	as.Headers["x-amz-content-sha256"] = r.Header.Get("X-Amz-Content-Sha256")
	text, err := json.Marshal(as)
	if err != nil {
		return // strings always marshal
	}
	r.Header.Set(signedHeader, base64.StdEncoding.EncodeToString(text))
}

// overTLS marks a request as one that came over TLS, as all of AWS's do: the buckets
// refuse others. Between the programs of one machine there is none.
func overTLS(headers http.Header) { headers.Set("X-Forwarded-Proto", "https") }
