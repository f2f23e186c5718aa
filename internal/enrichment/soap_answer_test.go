package enrichment

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
)

// TestSOAPAnswers: what one result says, and what is wrong with it alone.
func TestSOAPAnswers(t *testing.T) {
	with := func(old, replacement string) string { return strings.Replace(goodSOAPResult, old, replacement, 1) }
	values := func(old, replacement string) string { return strings.Replace(goodValues, old, replacement, 1) }
	const nilSegment = `<r:segment xsi:nil="true"/>`
	const segment = `<r:segment>fidèle &lt;1&gt;</r:segment>`
	const one = `<r:result><r:key>904711337</r:key>`
	for _, c := range []struct {
		name, sent, want string
	}{
		{"found", goodSOAPResult, "ok  " + goodValues + "/1"},
		{"not found", one + `<r:found>false</r:found></r:result>`, "not_found  /0"},
		{"not found, as a digit", one + `<r:found> 0 </r:found></r:result>`, "not_found  /0"},
		{"an error for the key", one + `<r:error>indisponible</r:error></r:result>`, "failed record_error /0"},
		{"an odd error for the key", one + `<r:error><r:code>7</r:code></r:error></r:result>`, "failed record_error /0"},
		{"a nil error", with("<r:found>", `<r:error xsi:nil="1"/><r:found>`), "ok  " + goodValues + "/1"},
		{"a nil value", with(segment, nilSegment), "ok  " + values(`"fidèle <1>"`, "null") + "/1"},
		{"a nil that is false", with("<r:orders>", `<r:orders xsi:nil="false">`), "ok  " + goodValues + "/1"},
		{"an empty text", with(segment, "<r:segment/>"), "ok  " + values(`"fidèle <1>"`, `""`) + "/1"},
		{"CDATA and comments", with(segment, "<r:segment>fid<!-- x -->èle<![CDATA[ <1>]]></r:segment>"), "ok  " + goodValues + "/1"},
		{"other prefixes", strings.ReplaceAll(with("<r:result>", `<x:result xmlns:x="`+testNamespace+`">`), "</r:result>", "</x:result>"), "ok  " + goodValues + "/1"},
		{"a default namespace", strings.ReplaceAll(strings.ReplaceAll(with("<r:result>", `<r:result xmlns="`+testNamespace+`">`), "<r:values>", "<values>"), "</r:values>", "</values>"), "ok  " + goodValues + "/1"},
		{"indented", strings.NewReplacer("><", ">\n\t<", "<r:orders>12", "<r:orders>\n 12 ").Replace(goodSOAPResult), "ok  " + goodValues + "/1"},
		{"other attributes", with("<r:orders>", `<r:orders xsi:type="r:whatever" r:unit="x">`), "ok  " + goodValues + "/1"},
		{"a boolean as a digit", with("<r:active>true", "<r:active>1"), "ok  " + goodValues + "/1"},
		{"an integer with a sign", with("12<", "+0012<"), "ok  " + goodValues + "/1"},
		{"several unknown elements", with("<r:internal_id>99</r:internal_id>", "<r:b/><r:b><r:c/></r:b><segment>x</segment>"), "ok  " + goodValues + "/3"},
		{"unknown elements of a result", with("<r:found>", "<r:reason>x</r:reason><found>false</found><r:found>"), "ok  " + goodValues + "/3"},
		{"values of a key that is not found", with("<r:found>true", "<r:found>false"), "not_found  /1"},

		{"neither found nor not", one + `</r:result>`, "failed invalid_answer /0"},
		{"found is a word", with("<r:found>true", "<r:found>yes"), "failed invalid_answer /1"},
		{"found is upper case", with("<r:found>true", "<r:found>TRUE"), "failed invalid_answer /1"},
		{"found is nil", with("<r:found>true", `<r:found xsi:nil="true">`), "failed invalid_answer /1"},
		{"no values", one + `<r:found>true</r:found></r:result>`, "failed invalid_answer /0"},
		{"a missing value", with("<r:orders>12</r:orders>", ""), "failed invalid_answer /1"},
		{"a value of no namespace", with("<r:orders>12</r:orders>", "<orders>12</orders>"), "failed invalid_answer /2"},
		{"a value of another namespace", with("<r:orders>12</r:orders>", `<q:orders xmlns:q="urn:q">12</q:orders>`), "failed invalid_answer /2"},
		{"a value under another case", strings.ReplaceAll(goodSOAPResult, "r:orders", "r:Orders"), "failed invalid_answer /2"},
		{"a value twice", with("<r:orders>", "<r:orders>12</r:orders><r:orders>"), "failed invalid_answer /1"},
		{"a value twice, once nil", with("<r:tier>", `<r:tier xsi:nil="true"/><r:tier>`), "failed invalid_answer /1"},
		{"values twice", with("<r:values>", "<r:values/><r:values>"), "failed invalid_answer /1"},
		{"found and not", with("<r:found>", "<r:found>false</r:found><r:found>"), "failed invalid_answer /1"},
		{"a nil with a text", with("<r:tier>or", `<r:tier xsi:nil="true">or`), "failed invalid_answer /1"},
		{"a nil of no namespace", with(segment, `<r:segment nil="true">`+strings.Repeat("x", 13)+"</r:segment>"), "failed invalid_answer /1"},
		{"an element in a text", with("<r:tier>or", "<r:tier>or<b/>"), "failed invalid_answer /1"},
		{"a word as integer", with("12<", "douze<"), "failed invalid_answer /1"},
		{"no integer", with("12<", "<"), "failed invalid_answer /1"},
		{"a fraction as integer", with("12<", "12.0<"), "failed invalid_answer /1"},
		{"an integer at its exclusive bound", with("12<", "1000<"), "failed invalid_answer /1"},
		{"an integer beyond 64 bits", with("12<", "9999999999999999999<"), "failed invalid_answer /1"},
		{"a number above its bound", with("0.250", "17"), "failed invalid_answer /1"},
		{"a number that no SQL type holds", with("0.250", "1e999999999"), "failed invalid_answer /1"},
		{"a number that is none", with("0.250", "NaN"), "failed invalid_answer /1"},
		{"an infinite number", with("0.250", "INF"), "failed invalid_answer /1"},
		{"a very long number", with("0.250", "0."+strings.Repeat("1", 70)), "failed invalid_answer /1"},
		{"a boolean that is none", with("<r:active>true", "<r:active>oui"), "failed invalid_answer /1"},
		{"a text beyond its length", with("fidèle", strings.Repeat("é", 13)), "failed invalid_answer /1"},
		{"a text with space around", with("<r:tier>or", "<r:tier> or"), "failed invalid_answer /1"},
		{"a text off its list", with("<r:tier>or", "<r:tier>platine"), "failed invalid_answer /1"},
		{"a control character", with("fidèle", "&#x7f;"), "failed invalid_answer /1"},
		{"a date with a zone", with("2024-10-08<", "2024-10-08Z<"), "failed invalid_answer /1"},
		{"a date off the calendar", with("2024-10-08<", "2024-02-30<"), "failed invalid_answer /1"},
		{"a time without a zone", with("10:00:00Z", "10:00:00"), "failed invalid_answer /1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.sent == goodSOAPResult && c.name != "found" {
				t.Fatal("the row changes nothing")
			}
			source := serveSOAP(t, answer(http.StatusOK, "text/xml", envelope11(response("Lookup", c.sent))))
			got, err := source.Lookup(t.Context(), []string{secretKey})
			if err != nil {
				t.Fatal(err)
			}
			if text := describe(got); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

// TestSOAPLists: a result belongs to the key that it names, wherever it stands.
func TestSOAPLists(t *testing.T) {
	result := func(key, more string) string { return "<r:result><r:key>" + key + "</r:key>" + more + "</r:result>" }
	const no = "<r:found>false</r:found>"
	a, b, c := result("a", no), result("b", "<r:error>x</r:error>"), result("c", no+"<r:more/>")
	for _, test := range []struct{ name, results, want string }{
		{"in order", a + b + c, "not_found  /0; failed record_error /0; not_found  /1"},
		{"reordered", c + a + b, "not_found  /0; failed record_error /0; not_found  /1"},
		{"with other elements", "<r:page>1</r:page>" + a + b + "<result/>" + c, "not_found  /0; failed record_error /0; not_found  /1"},
		{"one is missing", c + a, "not_found  /0; failed no_result /0; not_found  /1"},
		{"one twice", a + c + b + c, "not_found  /0; failed record_error /0; failed invalid_answer /2"},
		{"one three times", a + a + a, "failed invalid_answer /0; failed no_result /0; failed no_result /0"},
		{"another key", a + b + result("d", no), ""},
		{"a key too many", a + b + c + result("d", no), ""},
		{"without a key", a + "<r:result>" + no + "</r:result>" + c, ""},
		{"with two keys", a + result("b", "<r:key>b</r:key>"+no) + c, ""},
		{"a nil key", a + `<r:result><r:key xsi:nil="true"/>` + no + "</r:result>", ""},
		{"a key with an element", a + result("b<x/>", no), ""},
		{"a key of another namespace", a + "<r:result><key>b</key>" + no + "</r:result>", ""},
		{"no results", "", ""},
		{"results of another namespace", strings.ReplaceAll(a, "r:result", "result"), ""},
	} {
		source := serveSOAP(t, answer(http.StatusOK, "text/xml", envelope11(response("LookupList", test.results))))
		got, err := source.Lookup(t.Context(), []string{"a", "b", "c"})
		switch {
		case test.want == "" && (got != nil || codeOf(t, err) != CodeInvalidAnswer):
			t.Errorf("%s: %s, %v", test.name, describe(got), err)
		case test.want != "" && (err != nil || describe(got) != test.want):
			t.Errorf("%s: got %s, %v, want %s", test.name, describe(got), err, test.want)
		}
	}
}

// TestSOAPMessages: whatever is wrong with the message fails the call.
func TestSOAPMessages(t *testing.T) {
	good := envelope11(response("Lookup", goodSOAPResult))
	with := func(old, replacement string) string { return strings.Replace(good, old, replacement, 1) }
	prolog, rest, _ := strings.Cut(good, "?>")
	header := func(block string) string {
		return with("<soap:Body>", "<soap:Header>"+block+"</soap:Header><soap:Body>")
	}
	const bomb = `<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>`
	deep := strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40)
	for _, c := range []struct {
		name, media, sent string
		ok                bool
	}{
		{"good", "text/xml", good, true},
		{"without a declaration", "text/xml", rest, true},
		{"in US-ASCII", "text/xml; charset=US-ASCII", strings.ReplaceAll(good, "è", "&#232;"), true},
		{"with a byte order mark", "text/xml", "\ufeff" + good, true},
		{"with space around", "text/xml", good + "\n<!-- x -->\n", true},
		{"a header", "text/xml", header(`<x xmlns="urn:x" soap:mustUnderstand="0"><y/></x>`), true},
		{"a header for another", "text/xml", header(`<x xmlns="urn:x" soap:mustUnderstand="1" soap:actor="urn:other"/>`), true},
		{"as deep as may be", "text/xml", header(strings.Repeat("<a>", 30) + strings.Repeat("</a>", 30)), true},

		{"a header to be understood", "text/xml", header(`<x xmlns="urn:x" soap:mustUnderstand="1"/>`), false},
		{"a header for the next to be understood", "text/xml", header(`<x soap:mustUnderstand="1" soap:actor="http://schemas.xmlsoap.org/soap/actor/next"/>`), false},
		{"a header behind the body", "text/xml", with("</soap:Body>", "</soap:Body><soap:Header/><x/>"), false},
		{"another type", "text/html", good, false},
		{"no type", "", good, false},
		{"the type of SOAP 1.2", "application/soap+xml", good, false},
		{"JSON", "application/json", `{"key":"904711337","found":false}`, false},
		{"another charset", "text/xml; charset=iso-8859-1", good, false},
		{"another encoding", "text/xml", with("UTF-8", "ISO-8859-1"), false},
		{"UTF-16", "text/xml", "\xff\xfe<\x00a\x00/\x00>\x00", false},
		{"an invalid byte", "text/xml", with("fidèle", "\xff"), false},
		{"a character that XML does not have", "text/xml", with("fidèle", "&#1;"), false},
		{"an unknown entity", "text/xml", with("fidèle", "&nbsp;"), false},
		{"an entity bomb", "text/xml", prolog + "?>" + bomb + strings.Replace(rest, "fidèle", "&lol2;", 1), false},
		{"a document type", "text/xml", prolog + "?><!DOCTYPE x>" + rest, false},
		{"an external document type", "text/xml", prolog + `?><!DOCTYPE x SYSTEM "file:///etc/passwd">` + rest, false},
		{"a processing instruction", "text/xml", with("<soap:Body>", "<?php x?><soap:Body>"), false},
		{"a second declaration", "text/xml", with("<soap:Body>", prolog+"?><soap:Body>"), false},
		{"too deep", "text/xml", header(deep), false},
		{"too deep in a value", "text/xml", with("fidèle", deep), false},
		{"too many attributes", "text/xml", header("<x" + attributes(65) + "/>"), false},
		{"an attribute twice", "text/xml", with("<r:orders>", `<r:orders a="1" a="2">`), false},
		{"an attribute twice, under two prefixes", "text/xml", with("<r:orders>", `<r:orders xmlns:s="`+testNamespace+`" r:a="1" s:a="2">`), false},
		{"text beside elements", "text/xml", with("<r:found>", "x<r:found>"), false},
		{"text behind the envelope", "text/xml", good + "x", false},
		{"a second envelope", "text/xml", good + rest, false},
		{"cut", "text/xml", good[:len(good)-20], false},
		{"cut in a tag", "text/xml", good[:len(good)-1], false},
		{"elements that cross", "text/xml", with("</r:key>", "</r:found>"), false},
		{"nothing", "text/xml", "", false},
		{"a page", "text/xml", "<html><body>maintenance</body></html>", false},
		{"an unknown envelope", "text/xml", with(soapNamespace11, "urn:soap"), false},
		{"an envelope of SOAP 1.2", "text/xml", with(soapNamespace11, soapNamespace12), false},
		{"a prefix that is unknown", "text/xml", with(`xmlns:r="`+testNamespace+`"`, ""), false},
		{"another namespace", "text/xml", with(testNamespace, "urn:etl-dataloader:enrichment:clients:v2"), false},
		{"no namespace", "text/xml", strings.NewReplacer("r:", "", `xmlns:r=`, `xmlns:q=`).Replace(good), false},
		{"the response of another operation", "text/xml", strings.ReplaceAll(good, "LookupResponse", "LookupListResponse"), false},
		{"no body", "text/xml", `<soap:Envelope xmlns:soap="` + soapNamespace11 + `"/>`, false},
		{"an empty body", "text/xml", envelope11(""), false},
		{"two bodies", "text/xml", with("</soap:Body>", "</soap:Body><soap:Body/>"), false},
		{"two elements in the body", "text/xml", with("</soap:Body>", "<x/></soap:Body>"), false},
		{"an element beside the body", "text/xml", with("</soap:Body>", "</soap:Body><x/>"), false},
		{"another key", "text/xml", with(secretKey, "1"), false},
		{"too long", "text/xml", good + strings.Repeat(" ", MaxAnswer), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := serveSOAP(t, answer(http.StatusOK, c.media, c.sent))
			got, err := source.Lookup(t.Context(), []string{secretKey})
			switch {
			case c.ok && (err != nil || describe(got) != "ok  "+goodValues+"/1"):
				t.Errorf("%s, %v", describe(got), err)
			case !c.ok && (got != nil || codeOf(t, err) != CodeInvalidAnswer):
				t.Errorf("%s, %v", describe(got), err)
			}
		})
	}
}

// attributes are so many attributes.
func attributes(n int) string {
	var out strings.Builder
	for i := range n {
		out.WriteString(" a" + strings.Repeat("a", i) + `="x"`)
	}
	return out.String()
}

func FuzzSOAPAnswer(f *testing.F) {
	for _, sent := range []string{
		goodSOAPResult, `<r:result><r:key>904711337</r:key><r:found>false</r:found></r:result>`, `<r:result><r:key>904711337</r:key><r:error/></r:result>`, "<r:result/>", "&#1;",
		strings.Replace(goodSOAPResult, "0.250", "1e999999999", 1), strings.Replace(goodSOAPResult, "<r:tier>", `<r:tier xsi:nil="true"/><!-- --><r:tier>`, 1),
	} {
		f.Add([]byte(envelope11(response("Lookup", sent))))
		f.Add([]byte(envelope11(response("LookupList", sent))))
	}
	f.Add([]byte(envelope11(`<soap:Fault><faultcode>soap:Client</faultcode></soap:Fault>`)))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`))
	source, err := NewSOAP(SOAPConfig{URL: "http://127.0.0.1", Version: contract.SOAP11, Name: "clients", Fields: testFields, Connections: 1, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, asked := range [][]string{{secretKey}, {secretKey, "904711338"}} {
			operation := []string{lookupOne, lookupList}[len(asked)-1]
			m, err := source.parse(slices.Clone(sent), operation, asked)
			if err != nil {
				if codeOf(t, err) != CodeInvalidAnswer || m != nil {
					t.Fatal(m, err)
				}
				continue
			}
			if m.fault != nil {
				_ = codeOf(t, m.fault.failure(&http.Response{}, testNow))
				continue
			}
			if len(m.outcomes) != len(asked) {
				t.Fatalf("%d outcomes for %d keys", len(m.outcomes), len(asked))
			}
			for _, o := range m.outcomes {
				if (o.Status == etl.EnrichmentOK) != json.Valid(o.Values) || (o.Status == etl.EnrichmentFailed) != (o.Code != "") || o.Dropped < 0 {
					t.Fatalf("%+v", o)
				}
				if o.Status == etl.EnrichmentOK {
					checkValues(t, o.Values)
				}
			}
		}
	})
}
