package enrichment

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"etl-dataloader/internal/contract"
)

// soapKind authenticates by a user's token, and fails by faults.
func soapKind(version contract.SOAPVersion) sourceKind {
	envelope, _ := envelopeOf(version)
	return sourceKind{name: "soap " + string(version), source: func(t *testing.T, situation string, read func() string) Source {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var call struct {
				Password string   `xml:"Header>Security>UsernameToken>Password"`
				Keys     []string `xml:"Body>LookupList>key"`
			}
			if err := xml.NewDecoder(r.Body).Decode(&call); err != nil {
				t.Error(err)
			} else if call.Password != rightCredential {
				faultIn(envelope, "w:FailedAuthentication", call.Password)(w, r)
			} else {
				respondSOAP(w, r, envelope, situation, call.Keys)
			}
		}))
		t.Cleanup(server.Close)
		if situation == "nobody there" {
			server.Close()
		}
		s, err := NewSOAP(SOAPConfig{
			URL: server.URL, Version: version, Name: "clients", Fields: conformanceFields, Connections: 2, Batches: true, Now: testClock,
			Secret: func(context.Context) (string, error) {
				return secretOf(t, map[string]any{"type": "username_token", "username": "loader", "password": read()}), nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.keeper.base.CloseIdleConnections)
		return s
	}}
}

// soapMessage is a message of a version with a body.
func soapMessage(of envelope, body string) string {
	return strings.Replace(envelope11(body), soap11().namespace, of.namespace, 1)
}

// faultIn answers with a fault.
func faultIn(of envelope, code, text string) http.HandlerFunc {
	const wsse = ` xmlns:w="` + securityNamespace + `"`
	body := "<soap:Fault" + wsse + "><faultcode>" + code + "</faultcode><faultstring>" + text + "</faultstring></soap:Fault>"
	if of == soap12() {
		code = strings.NewReplacer("soap:Client", "soap:Sender", "soap:Server", "soap:Receiver").Replace(code)
		body = "<soap:Fault" + wsse + "><soap:Code><soap:Value>" + code + "</soap:Value></soap:Code><soap:Reason><soap:Text>" + text + "</soap:Text></soap:Reason></soap:Fault>"
	}
	return answer(http.StatusInternalServerError, of.media, soapMessage(of, body))
}

// respondSOAP answers for keys as a SOAP service in a situation does.
func respondSOAP(w http.ResponseWriter, r *http.Request, of envelope, situation string, keys []string) {
	echo := strings.Join(keys, " ")
	switch situation {
	case "an error":
		faultIn(of, "soap:Server", echo)(w, r)
	case "too many calls":
		answer(http.StatusTooManyRequests, "text/plain", echo)(w, r)
	case "a call that it cannot read":
		faultIn(of, "soap:Client", echo)(w, r)
	case "something else than an answer":
		answer(http.StatusOK, "text/html", "<p>"+echo)(w, r)
	case "no answer":
		<-r.Context().Done()
	case "an answer that breaks off":
		w.Header().Set("Content-Length", "100000")
		answer(http.StatusOK, of.media, soapMessage(of, soapAnswer(situation, keys)))(w, r)
		panic(http.ErrAbortHandler)
	default:
		answer(http.StatusOK, of.media, soapMessage(of, soapAnswer(situation, keys)))(w, r)
	}
}

// soapAnswer is the body of an answer.
func soapAnswer(situation string, keys []string) string {
	var results []string
	for _, key := range keys {
		known := "<r:found>true</r:found><r:values><r:segment>fidèle &lt;1&gt;</r:segment><r:risk_score>0.25</r:risk_score><r:orders>12</r:orders></r:values>"
		switch key {
		case "unknown":
			known = "<r:found>false</r:found>"
		case "nulls":
			known = `<r:found>true</r:found><r:values><r:segment xsi:nil="true"/><r:risk_score xsi:nil="true"/><r:orders xsi:nil="true"/></r:values>`
		default:
			known = strings.NewReplacer(spoiledXML(situation)...).Replace(known)
		}
		results = append(results, fmt.Sprintf("<r:result><r:key>%s</r:key>%s</r:result>", key, known))
	}
	switch situation {
	case "answers in another order":
		results[0], results[2] = results[2], results[0]
	case "half an answer":
		results = results[:1]
	case "every result twice":
		results = append(results, results[:2]...)
	case "a result for another key":
		results[0] = "<r:result><r:key>another</r:key><r:found>false</r:found></r:result>"
	case "an answer that is too long":
		results[0] += strings.Repeat(" ", MaxAnswer)
	}
	return response("LookupList", strings.Join(results, ""))
}

// spoiledXML returns what a situation changes in a result, as old and new texts.
func spoiledXML(situation string) []string {
	switch situation {
	case "unknown members":
		return []string{"<r:orders>", "<r:internal><r:orders>7</r:orders></r:internal><more/><r:orders>"}
	case "a value out of bounds":
		return []string{"0.25", "17"}
	case "a value that is too long":
		return []string{"fidèle", strings.Repeat("é", 13)}
	case "a number without end":
		return []string{"0.25", "1e999999999"}
	case "a value of another type":
		return []string{"12", "douze"}
	case "a missing member":
		return []string{"<r:orders>12</r:orders>", ""}
	}
	return nil
}
