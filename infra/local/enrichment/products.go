package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
)

// The namespaces of the messages.
const (
	productsNamespace = "urn:etl-dataloader:enrichment:products:v1"
	securityNamespace = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
)

// soapVersion is a version of SOAP: its envelope, and how faults are told.
type soapVersion struct {
	namespace, media string
	sender, receiver string // the codes of faults
	refused          int    // the status of a fault of the sender
}

func soapVersions() []soapVersion {
	return []soapVersion{
		{"http://schemas.xmlsoap.org/soap/envelope/", "text/xml", "Client", "Server", http.StatusInternalServerError},
		{"http://www.w3.org/2003/05/soap-envelope", "application/soap+xml", "Sender", "Receiver", http.StatusBadRequest},
	}
}

// userToken is a user with a password, of WS-Security.
type userToken struct{ username, password string }

// envelope is a call, of either version.
type envelope struct {
	XMLName xml.Name
	Header  struct {
		Token *struct {
			Username string `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd Username"`
			Password string `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd Password"`
		} `xml:"Security>UsernameToken"`
	} `xml:"Header"`
	Body struct {
		One  *question `xml:"urn:etl-dataloader:enrichment:products:v1 Lookup"`
		List *question `xml:"urn:etl-dataloader:enrichment:products:v1 LookupList"`
	} `xml:"Body"`
}

// question is the element of an operation.
type question struct {
	Keys []string `xml:"key"`
}

// newProducts returns the service of products, which lets in who carries c.
func newProducts(c credentials) *standIn {
	s := newControls(soap, c)
	s.mux.HandleFunc("POST /soap", s.call)
	return s
}

// call answers a call of SOAP in the version in which it comes.
func (s *standIn) call(w http.ResponseWriter, r *http.Request) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	at := slices.IndexFunc(soapVersions(), func(v soapVersion) bool { return v.media == media })
	if at < 0 {
		http.Error(w, "the body must be text/xml or application/soap+xml", http.StatusUnsupportedMediaType)
		return
	}
	version := soapVersions()[at]
	var sent envelope
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil || xml.Unmarshal(body, &sent) != nil || sent.XMLName != (xml.Name{Space: version.namespace, Local: "Envelope"}) {
		version.refuse(w, "soap:"+version.sender, "the call is no envelope of this version")
		return
	}
	if !s.admits(r, sent.token()) {
		s.deny(w, version)
		return
	}
	operation, keys := "Lookup", []string{}
	switch one, list := sent.Body.One, sent.Body.List; {
	case one != nil && list == nil && len(one.Keys) == 1:
		keys = one.Keys
	case one == nil && list != nil && len(list.Keys) <= maxKeys:
		operation, keys = "LookupList", list.Keys
	}
	if len(keys) == 0 || slices.ContainsFunc(keys, func(k string) bool { return !validKey(k) }) {
		version.refuse(w, "soap:"+version.sender, "the body is none of the operations with right keys")
		return
	}
	s.respond(w, r, version, operation, keys)
}

// token returns the user's token of a call; nil if it has none.
func (e *envelope) token() *userToken {
	if e.Header.Token == nil {
		return nil
	}
	return &userToken{e.Header.Token.Username, e.Header.Token.Password}
}

// respond answers an operation as it was told to.
func (s *standIn) respond(w http.ResponseWriter, r *http.Request, version soapVersion, operation string, keys []string) {
	digests := make([]digest, len(keys))
	for i, key := range keys {
		digests[i] = digestOf(key)
	}
	list := operation == "LookupList"
	as := wire{media: version.media + "; charset=utf-8", err: version.message("<error>unavailable</error>")}
	s.serve(w, r, as, list, digests, func(o order) {
		switch {
		case o.Mode == "fault":
			version.fault(w, http.StatusInternalServerError, "soap:"+version.receiver, "told to fail")
			return
		case o.Mode == "fault_ok":
			version.fault(w, http.StatusOK, "soap:"+version.receiver, "told to fail")
			return
		case o.Mode == "fault_sender":
			version.refuse(w, "soap:"+version.sender, "told to refuse")
			return
		case !list && ofBatches(o.Mode):
			o.Mode = "ok"
		}
		s.reply(w, r, as, o, digests, []byte(version.response(operation, o.Mode, keys, digests)))
	})
}

// deny answers a call that is not let in: by a fault if the envelope should have said who
// calls.
func (s *standIn) deny(w http.ResponseWriter, version soapVersion) {
	s.mu.Lock()
	byEnvelope := s.door.Type == "username_token"
	s.mu.Unlock()
	if !byEnvelope {
		denied(w)
		return
	}
	version.refuse(w, "wsse:FailedAuthentication", "the token is missing or wrong")
}

// refuse answers with a fault of the sender.
func (v soapVersion) refuse(w http.ResponseWriter, code, reason string) {
	v.fault(w, v.refused, code, reason)
}

// fault answers with a fault. A code of WS-Security is a subcode in SOAP 1.2.
func (v soapVersion) fault(w http.ResponseWriter, status int, code, reason string) {
	const security = ` xmlns:wsse="` + securityNamespace + `"`
	body := "<soap:Fault><faultcode" + security + ">" + code + "</faultcode><faultstring>" + reason + "</faultstring></soap:Fault>"
	if v.sender == "Sender" {
		general, sub := code, ""
		if code == "wsse:FailedAuthentication" {
			general, sub = "soap:Sender", "<soap:Subcode><soap:Value"+security+">"+code+"</soap:Value></soap:Subcode>"
		}
		body = "<soap:Fault><soap:Code><soap:Value>" + general + "</soap:Value>" + sub + `</soap:Code><soap:Reason><soap:Text xml:lang="en">` + reason + "</soap:Text></soap:Reason></soap:Fault>"
	}
	w.Header().Set("Content-Type", v.media+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, v.message(body))
}

// message is an envelope with a body.
func (v soapVersion) message(body string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap=%q><soap:Body>%s</soap:Body></soap:Envelope>`, v.namespace, body)
}
