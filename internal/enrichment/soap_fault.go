package enrichment

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"
)

// securityNamespace is that of WS-Security 1.0 and 1.1.
const securityNamespace = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

// fault is what a source says of a call in place of an answer: its codes, from the
// general to the special. What else it says is not read, as it may quote keys.
type fault struct {
	envelope envelope
	codes    []xml.Name
}

// readFault reads the Fault that is open.
func readFault(r *xmlReader, of envelope) *fault {
	f := &fault{envelope: of}
	for part, more := r.child(); more; part, more = r.child() {
		switch {
		case part.Name.Local == "faultcode": // of SOAP 1.1, without a namespace
			f.code(r, part)
		case part.Name == xml.Name{Space: of.namespace, Local: "Code"}:
			f.code12(r)
		default:
			r.skip()
		}
	}
	return f
}

// code12 reads a Code or Subcode of SOAP 1.2 that is open.
func (f *fault) code12(r *xmlReader) {
	for part, more := r.child(); more; part, more = r.child() {
		switch part.Name {
		case xml.Name{Space: f.envelope.namespace, Local: "Value"}:
			f.code(r, part)
		case xml.Name{Space: f.envelope.namespace, Local: "Subcode"}:
			f.code12(r)
		default:
			r.skip()
		}
	}
}

// code reads a code. One without a prefix is SOAP's, as many sources omit that.
func (f *fault) code(r *xmlReader, of xml.StartElement) {
	scope := slices.Clone(r.scope)
	name := scope.resolve(string(r.content(of).text))
	if name.Space == "" {
		name.Space = f.envelope.namespace
	}
	f.codes = append(f.codes, name)
}

// failure is what the fault means, which came in resp at the time now.
func (f *fault) failure(resp *http.Response, now time.Time) *Failure {
	failure := &Failure{Code: CodeServerError, Reason: "a fault of the source", RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now)}
	switch {
	case slices.ContainsFunc(f.codes, f.unauthorized):
		failure.Code, failure.Reason = CodeUnauthorized, "a fault: the source refuses the credentials"
	case slices.ContainsFunc(f.codes, f.refusal):
		failure.Code, failure.Reason = CodeRefused, "a fault: the source refuses the call"
	}
	return failure
}

// unauthorized reports whether a code says that the caller is not let in. The only header
// that a call demands to be understood has its credentials.
func (f *fault) unauthorized(code xml.Name) bool {
	switch code.Space {
	case securityNamespace:
		return true
	case "http://ws.apache.org/wss4j": // by which Apache CXF hides what is wrong with them
		return code.Local == "SecurityError"
	case f.envelope.namespace:
		return code.Local == "MustUnderstand" || strings.HasPrefix(code.Local, "Client.Auth") // SOAP 1.1, section 4.4.1
	}
	return false
}

// refusal reports whether a code says that the call is wrong as it is.
func (f *fault) refusal(code xml.Name) bool {
	general, _, _ := strings.Cut(code.Local, ".") // SOAP 1.1, section 4.4.1
	return code.Space == f.envelope.namespace && slices.Contains([]string{"Client", "Sender", "VersionMismatch", "DataEncodingUnknown"}, general)
}
