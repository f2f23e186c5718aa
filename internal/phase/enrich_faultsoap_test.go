package phase_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
)

// The fault table of REST sources serves for SOAP sources: what a row says in JSON is said
// in an envelope.

const (
	soapOfClients = "urn:etl-dataloader:enrichment:clients:v1"
	jsonMedia     = "application/json"
)

// media is the type of the source's answers.
func (s *faultySource) media() string {
	if s.kind == contract.KindSOAP {
		return "text/xml"
	}
	return jsonMedia
}

// asked reads which keys a call asks for.
func (s *faultySource) asked(r *http.Request) (keys []string, single bool, err error) {
	if s.kind == contract.KindSOAP {
		var call struct {
			One  []string `xml:"Body>Lookup>key"`
			List []string `xml:"Body>LookupList>key"`
		}
		err = xml.NewDecoder(r.Body).Decode(&call)
		return slices.Concat(call.One, call.List), len(call.One) > 0, err
	}
	var question struct {
		Key  string
		Keys []string
	}
	if err = json.NewDecoder(r.Body).Decode(&question); question.Key != "" {
		return []string{question.Key}, true, err
	}
	return question.Keys, false, err
}

// answerOf is the whole answer with results, each as JSON.
func (s *faultySource) answerOf(results []string, single bool) string {
	switch {
	case s.kind == contract.KindSOAP:
		operation := "LookupList"
		if single {
			operation = "Lookup"
		}
		var body strings.Builder
		body.WriteString(`<` + operation + `Response xmlns="` + soapOfClients + `" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`)
		for _, result := range results {
			resultInXML(&body, result)
		}
		return inEnvelope(body.String() + "</" + operation + "Response>")
	case single:
		return results[0]
	}
	return `{"results":[` + strings.Join(results, ",") + `]}`
}

func inEnvelope(body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + body + `</s:Body></s:Envelope>`
}

// resultInXML writes a result of one key, of which each member is a scalar or empty.
func resultInXML(out *strings.Builder, result string) {
	var around, values strings.Builder
	decoder := json.NewDecoder(strings.NewReader(result))
	decoder.UseNumber()
	_, _ = decoder.Token()
	for decoder.More() {
		name, _ := decoder.Token()
		var value json.RawMessage
		_ = decoder.Decode(&value)
		element, _ := name.(string)
		to := &values
		if slices.Contains([]string{"key", "found", "error"}, element) {
			to = &around
		}
		to.WriteString("<" + element + ">")
		text := string(bytes.Trim(value, `"{}`))
		_ = xml.EscapeText(to, []byte(text))
		to.WriteString("</" + element + ">")
	}
	out.WriteString("<result>" + around.String() + "<values>" + values.String() + "</values></result>")
}

// inSOAP says a body that is no answer in XML, if the source is asked by SOAP.
func (s *faultySource) inSOAP(contentType, body string) (string, string) {
	if s.kind != contract.KindSOAP {
		return contentType, body
	}
	if contentType == jsonMedia {
		contentType = s.media()
	}
	if strings.HasPrefix(body, "{") {
		body = inEnvelope("<error>unavailable</error>")
	}
	return contentType, body
}

// faultsOfSOAP are faults that no other source has.
func faultsOfSOAP() []sourceFault {
	const wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	says := func(status int, message string) func(*faultySource, http.ResponseWriter, *http.Request, []string) bool {
		return func(_ *faultySource, w http.ResponseWriter, _ *http.Request, _ []string) bool {
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, message)
			return true
		}
	}
	fault := func(code string) string {
		return inEnvelope(`<s:Fault xmlns:w="` + wsse + `"><faultcode>` + code + `</faultcode><faultstring>told to</faultstring></s:Fault>`)
	}
	changed := func(old, replacement string) func(*faultySource, http.ResponseWriter, *http.Request, []string) bool {
		return func(s *faultySource, w http.ResponseWriter, r *http.Request, keys []string) bool {
			return says(http.StatusOK, strings.Replace(s.body(keys, len(keys) == 1 && !s.probes(keys), false), old, replacement, 1))(s, w, r, keys)
		}
	}
	const bomb = `?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	faults := []sourceFault{
		both(sourceFault{name: "three faults of the source, with status 500", when: ofCalls(2, 3), act: says(500, fault("s:Server"))}, bounded(3)),
		both(sourceFault{name: "three faults of the source, with status 200", when: ofCalls(2, 3), act: says(200, fault("s:Server"))}, bounded(3)),
		both(sourceFault{name: "three answers in another namespace", when: ofCalls(2, 3), act: changed(soapOfClients, soapOfClients+":other")}, bounded(3)),
		both(sourceFault{name: "three answers with an entity bomb", when: ofCalls(2, 3), act: changed("?>", bomb)}, bounded(3)),
		whole(sourceFault{name: "a fault of the sender for one key", when: ofKey(spoiltKey), act: says(500, fault("s:Client"))}, faultEnd{code: enrichment.CodeRefused, failing: 1}),
		whole(sourceFault{name: "a fault of WS-Security for one key", when: ofKey(spoiltKey), act: says(500, fault("w:FailedAuthentication"))}, poisoned(enrichment.CodeUnauthorized)),
	}
	for i := range faults {
		faults[i].only = contract.KindSOAP
	}
	return faults
}
