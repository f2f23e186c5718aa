package enrichment

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestSOAPFaults: the cause of a fault is what its code tells, under each status with
// which faults come, and never what its text says.
func TestSOAPFaults(t *testing.T) {
	const text = "<faultstring>no such client: " + secretKey + "</faultstring><detail><key>" + secretKey + "</key></detail>"
	const wsse = ` xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"`
	fault11 := func(code string) string { return "<soap:Fault>" + code + text + "</soap:Fault>" }
	fault12 := func(code string) string {
		return `<soap:Fault><soap:Code>` + code + `</soap:Code><soap:Reason><soap:Text xml:lang="en">no such client: ` + secretKey + `</soap:Text></soap:Reason></soap:Fault>`
	}
	subcode := func(code string) string { return "<soap:Subcode><soap:Value>" + code + "</soap:Value></soap:Subcode>" }
	const sender = "<soap:Value>soap:Sender</soap:Value>"
	for _, c := range []struct {
		name, v11, v12 string // what stands in the fault of each version; empty: there is none
		code           Code
	}{
		{"the source's", "<faultcode>soap:Server</faultcode>", "<soap:Value>soap:Receiver</soap:Value>", CodeServerError},
		{"the caller's", "<faultcode>soap:Client</faultcode>", sender, CodeRefused},
		{"the caller's, in detail", "<faultcode>soap:Client.InvalidKey</faultcode>", sender + subcode("x:InvalidKey"), CodeRefused},
		{"another version", "<faultcode>soap:VersionMismatch</faultcode>", "<soap:Value>soap:VersionMismatch</soap:Value>", CodeRefused},
		{"another encoding", "", "<soap:Value>soap:DataEncodingUnknown</soap:Value>", CodeRefused},
		{"a header that it does not know", "<faultcode>soap:MustUnderstand</faultcode>", "<soap:Value>soap:MustUnderstand</soap:Value>", CodeUnauthorized},
		{"refused credentials", `<faultcode` + wsse + `>w:FailedAuthentication</faultcode>`, sender + strings.Replace(subcode("w:FailedAuthentication"), "<soap:Value>", "<soap:Value"+wsse+">", 1), CodeUnauthorized},
		{"refused credentials, deeper", "", sender + "<soap:Subcode><soap:Value>x:a</soap:Value>" + strings.Replace(subcode("w:InvalidSecurity"), "<soap:Value>", "<soap:Value"+wsse+">", 1) + "</soap:Subcode>", CodeUnauthorized},
		{"refused credentials, of CXF", `<faultcode xmlns:ns1="http://ws.apache.org/wss4j">ns1:SecurityError</faultcode>`, sender + `<soap:Subcode><soap:Value xmlns:ns1="http://ws.apache.org/wss4j">ns1:SecurityError</soap:Value></soap:Subcode>`, CodeUnauthorized},
		{"refused credentials, of SOAP 1.1", "<faultcode>soap:Client.Authentication</faultcode>", "", CodeUnauthorized},
		{"a code without a prefix", "<faultcode>\n Client </faultcode>", "<soap:Value>Sender</soap:Value>", CodeRefused},
		{"a code of another namespace", `<faultcode xmlns:x="urn:x">x:Client</faultcode>`, `<soap:Value xmlns:x="urn:x">x:Sender</soap:Value>`, CodeServerError},
		{"a code of the source's own", "<faultcode>E42</faultcode>", "<soap:Value>E42</soap:Value>", CodeServerError},
		{"no code", "<faultcode/>", "<soap:Reason/>", CodeServerError},
	} {
		for _, v := range soapVersions() {
			body := envelope11(fault11(c.v11))
			if v.namespace == soapNamespace12 {
				body = strings.Replace(envelope11(fault12(c.v12)), soapNamespace11, soapNamespace12, 1)
			}
			if c.v11 == "" && v.namespace == soapNamespace11 || c.v12 == "" && v.namespace == soapNamespace12 {
				continue
			}
			for _, status := range []int{200, 400, 500} {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Retry-After", "7")
					answer(status, v.media, body)(w, r)
				}))
				// Sources of either version: one that does not know the caller's answers in its own.
				for _, asks := range soapVersions() {
					got, err := newSOAP(t, soapConfig(server.URL, asks.version)).Lookup(t.Context(), []string{secretKey})
					if code := codeOf(t, err); code != c.code || got != nil {
						t.Errorf("%s, SOAP %s to %s, %d: %v, want %s", c.name, v.version, asks.version, status, err, c.code)
					}
					if after := err.(*Failure).RetryAfter; after != 7*time.Second { //nolint:errorlint // checked by codeOf
						t.Errorf("%s: retry after %v", c.name, after)
					}
				}
				server.Close()
			}
		}
	}
}

// TestSOAPFaultBesideAnswer: a fault is the only thing in a body.
func TestSOAPFaultBesideAnswer(t *testing.T) {
	const fault = `<soap:Fault><faultcode>soap:Client</faultcode></soap:Fault>`
	for name, c := range map[string]struct {
		status int
		body   string
		code   Code
	}{
		"behind an answer": {200, response("Lookup", goodSOAPResult) + fault, CodeInvalidAnswer},
		"before an answer": {200, fault + response("Lookup", goodSOAPResult), CodeInvalidAnswer},
		"two, with 500":    {500, fault + fault, CodeServerError},
		"in the response":  {200, response("Lookup", fault), CodeInvalidAnswer},
	} {
		source := serveSOAP(t, answer(c.status, "text/xml", envelope11(c.body)))
		if got, err := source.Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != c.code || got != nil {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}
