package enrichment

import (
	"encoding/xml"
	"mime"
	"net/http"
	"strings"

	"etl-dataloader/internal/contract"
)

// envelope is a version of SOAP, as its messages show it.
type envelope struct {
	namespace string // of the elements of SOAP itself
	media     string // the type of an HTTP body
	actor     string // the attribute of a header block that says who is to understand it
}

func soap11() envelope {
	return envelope{namespace: "http://schemas.xmlsoap.org/soap/envelope/", media: "text/xml", actor: "actor"}
}

func soap12() envelope {
	return envelope{namespace: "http://www.w3.org/2003/05/soap-envelope", media: "application/soap+xml", actor: "role"}
}

// envelopeOf returns the envelope of a version.
func envelopeOf(version contract.SOAPVersion) (envelope, bool) {
	switch version {
	case contract.SOAP11:
		return soap11(), true
	case contract.SOAP12:
		return soap12(), true
	}
	return envelope{}, false
}

// envelopeIn returns the envelope that an answer has by its Content-Type; false if that
// is none, or the text is not UTF-8.
func envelopeIn(header http.Header) (envelope, bool) {
	media, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if charset, ok := parameters["charset"]; err != nil || ok && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return envelope{}, false
	}
	switch media {
	case soap11().media:
		return soap11(), true
	case soap12().media:
		return soap12(), true
	}
	return envelope{}, false
}

// message is what an answer holds.
type message struct {
	envelope envelope
	fault    *fault
	outcomes []Outcome // if there is no fault
}

// parse reads an answer to an operation; of any other, only the fault. It fails with a
// *Failure.
func (s *SOAP) parse(answer []byte, operation string, keys []string) (*message, error) {
	r := newXMLReader(answer)
	m := &message{}
	if root, ok := r.child(); !ok || !m.begin(root) {
		return nil, malformed("the answer is no SOAP envelope")
	}
	bodies, demanding := 0, false
	var problem error
	for part, more := r.child(); more; part, more = r.child() {
		switch part.Name {
		case xml.Name{Space: m.envelope.namespace, Local: "Header"}:
			demanding = m.header(r) || demanding
		case xml.Name{Space: m.envelope.namespace, Local: "Body"}:
			bodies++
			problem = s.body(r, m, operation, keys)
		default:
			r.fail("an element that an envelope does not have")
		}
	}
	switch {
	case !r.finished() || bodies != 1:
		return nil, malformed("the answer is no SOAP message")
	case demanding:
		return nil, malformed("the answer has a header that must be understood")
	case problem != nil:
		return nil, problem
	}
	return m, nil
}

func malformed(reason string) *Failure { return &Failure{Code: CodeInvalidAnswer, Reason: reason} }

// begin reports whether the root is an envelope, and of which version.
func (m *message) begin(root xml.StartElement) bool {
	for _, e := range []envelope{soap11(), soap12()} {
		if (root.Name == xml.Name{Space: e.namespace, Local: "Envelope"}) {
			m.envelope = e
			return true
		}
	}
	return false
}

// header reads the header, and reports whether a block of it demands to be understood:
// none is.
func (m *message) header(r *xmlReader) bool {
	demanding := false
	for block, more := r.child(); more; block, more = r.child() {
		must := attribute(block, m.envelope.namespace, "mustUnderstand")
		switch attribute(block, m.envelope.namespace, m.envelope.actor) {
		case "", "http://schemas.xmlsoap.org/soap/actor/next", // whoever reads it
			m.envelope.namespace + "/role/next", m.envelope.namespace + "/role/ultimateReceiver":
			demanding = demanding || isTrue(must)
		}
		r.skip()
	}
	return demanding
}

// body reads the body: a fault, or the response of the operation. It fails with a
// *Failure where it is neither.
func (s *SOAP) body(r *xmlReader, m *message, operation string, keys []string) error {
	content, ok := r.child()
	if !ok {
		return malformed("the body is empty")
	}
	var err error
	switch content.Name {
	case xml.Name{Space: m.envelope.namespace, Local: "Fault"}:
		m.fault = readFault(r, m.envelope)
	case xml.Name{Space: s.namespace, Local: operation + "Response"}:
		m.outcomes, err = s.outcomes(r, keys)
	default:
		r.skip()
		err = malformed("the body is not the response of the operation")
	}
	for _, more := r.child(); more; _, more = r.child() {
		r.fail("a second element in the body")
	}
	return err
}
