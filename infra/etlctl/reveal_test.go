package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/reveal"
)

func TestRevealRequest(t *testing.T) {
	for name, c := range map[string]struct {
		command revealCommand
		want    string
	}{
		"a table": {
			revealCommand{What: []string{"clients"}, Where: "client_id=42=42", Fields: []string{"email", "nif"}, Reason: "r"},
			`{"table":"clients","where":{"field":"client_id","value":"42=42"},"fields":["email","nif"],"reason":"r"}`,
		},
		"an event": {revealCommand{Event: "e", Reason: "r"}, `{"event":"e","reason":"r"}`},
		"a line": {
			revealCommand{Raw: true, What: []string{importID, "client_data_20241008.csv", "12"}, Reason: "r"},
			`{"raw":{"import_id":"` + importID + `","file":"client_data_20241008.csv","line":12},"reason":"r"}`,
		},
	} {
		request, err := c.command.request()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := json.Marshal(request); err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, c.want)
		}
	}
}

// Values are shown as they are, but nothing in them acts on the terminal or looks like
// another line.
func TestShowValues(t *testing.T) {
	email, hostile := "zoe@example.org", "x\x1b]0;titre\nnif  1"
	var out bytes.Buffer
	c := &console{out: &out, err: &out}
	c.showValues(reveal.Answer{RequestID: "id", Records: []reveal.Record{
		{ImportID: importID, Resource: "clients", Line: 7, Values: []reveal.Value{{Field: "email", Text: &email}, {Field: "nif"}, {Field: "address", Text: &hostile}}},
		{ImportID: importID, Resource: "clients", Line: 8, Raw: "a;\"b\nc"},
		{ImportID: importID, Resource: "clients", Line: 9, RawBytes: []byte{0xff}},
	}})
	want := "clients, import " + importID + ", ligne 7\n  email    zoe@example.org\n  nif      " + textNone + "\n  address  x\\u001b]0;titre\\nnif  1\n" +
		"clients, import " + importID + ", ligne 8\n  a;\"b\\nc\n" +
		"clients, import " + importID + ", ligne 9\n  base64: /w==\n" + textRevealed(3, "id") + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestShowPlaces(t *testing.T) {
	var out bytes.Buffer
	c := &console{out: &out, err: &out}
	c.showPlaces(reveal.Found{RequestID: "id", Places: []reveal.Place{
		{Resource: "clients", Field: "client_id", Rows: 1, Events: 1234, Staged: 2, Files: []postgres.Version{{Key: "daily/client_data_20241008.csv", VersionID: "v1"}}},
		{Resource: "ventes", Field: "client_id"},
	}})
	for _, text := range []string{"clients", message.Count(1234), "daily/client_data_20241008.csv  v1", textTitleVersions, textFound("id")} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q lacks %q", out.String(), text)
		}
	}
}

func TestAskTellsRefusals(t *testing.T) {
	for _, err := range []error{&refusedError{Name: "Refused", Text: "non"}, errSlow} {
		var errs bytes.Buffer
		c := &console{out: &errs, err: &errs}
		if got := c.ask(t.Context(), &stack{err: err}, "/reveal", nil, nil); !errors.Is(got, toldError{}) {
			t.Errorf("%v: %v", err, got)
		}
		if errs.Len() == 0 {
			t.Errorf("%v is not told", err)
		}
	}
}
