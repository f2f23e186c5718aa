package enrichment

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// passwordText is the type of a password in a UsernameToken (Username Token Profile).
const passwordText = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText" //nolint:gosec // no password

// userToken is a user with a password, which an envelope carries.
type userToken struct{ username, password string }

// payload is the element that asks for the keys.
func (s *SOAP) payload(operation string, keys []string) []byte {
	var out bytes.Buffer
	out.WriteString("<" + operation + ` xmlns="` + s.namespace + `">`)
	for _, key := range keys {
		out.WriteString("<key>")
		escape(&out, key)
		out.WriteString("</key>")
	}
	out.WriteString("</" + operation + ">")
	return out.Bytes()
}

// message is the envelope with a payload, and a user's token if there is one.
func (e envelope) message(token *userToken, payload []byte) []byte {
	var out bytes.Buffer
	out.WriteString(xml.Header + `<soap:Envelope xmlns:soap="` + e.namespace + `">`)
	if token != nil {
		out.WriteString(`<soap:Header><wsse:Security xmlns:wsse="` + securityNamespace + `" soap:mustUnderstand="1"><wsse:UsernameToken><wsse:Username>`)
		escape(&out, token.username)
		out.WriteString(`</wsse:Username><wsse:Password Type="` + passwordText + `">`)
		escape(&out, token.password)
		out.WriteString(`</wsse:Password></wsse:UsernameToken></wsse:Security></soap:Header>`)
	}
	out.WriteString(`<soap:Body>`)
	out.Write(payload)
	out.WriteString(`</soap:Body></soap:Envelope>`)
	return out.Bytes()
}

// escape writes a text that isXML.
func escape(out io.Writer, text string) { _ = xml.EscapeText(out, []byte(text)) } // a buffer takes all

// isXML reports whether XML can carry a text: some characters it cannot, not even escaped.
func isXML(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool {
		return c < ' ' && !strings.ContainsRune("\t\n\r", c) || c == 0xFFFE || c == 0xFFFF
	})
}

// send asks by an operation. It fails with a *Failure.
func (s *SOAP) send(ctx context.Context, pass *pass, operation string, payload []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(s.envelope.message(pass.user, payload)))
	if err != nil {
		return nil, transportFailure(err)
	}
	action := `"` + s.namespace + ":" + operation + `"`
	if s.envelope == soap11() {
		req.Header.Set("Content-Type", s.envelope.media+"; charset=utf-8")
		req.Header.Set("SOAPAction", action) //nolint:canonicalheader // as SOAP 1.1 writes it; Go sends Soapaction
	} else {
		req.Header.Set("Content-Type", s.envelope.media+"; charset=utf-8; action="+action)
	}
	req.Header.Set("Accept", s.envelope.media)
	return pass.send(req)
}
