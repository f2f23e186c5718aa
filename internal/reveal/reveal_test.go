package reveal_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/reveal"
)

func where(field, value string) *reveal.Condition {
	return &reveal.Condition{Field: field, Value: value}
}

func ofClient(fields ...string) reveal.Request {
	return reveal.Request{Table: "clients", Where: where("client_id", clientID), Fields: fields, Reason: reason}
}

func ofEvent() reveal.Request { return reveal.Request{Event: event, Reason: reason} }

func ofLine(line int64) reveal.Request {
	return reveal.Request{Raw: &reveal.Line{ImportID: imported, File: "client_data_20241008.csv", Line: line}, Reason: reason}
}

// ask asks for values, and keeps the text of an error.
func (h *house) ask(by caller.Identity, request reveal.Request) (reveal.Answer, error) {
	a, err := h.revealer.Reveal(h.t.Context(), by, request)
	if err != nil {
		h.texts = append(h.texts, err.Error())
	}
	return a, err
}

// quiet fails if a value stands anywhere but in an answer.
func (h *house) quiet() {
	h.t.Helper()
	said := h.log.String() + strings.Join(h.texts, "\n") + fmt.Sprint(h.inbox.alerts) +
		postgrestest.Scan[string](h.t, h.conn, `SELECT coalesce(string_agg(a::text, '\n'), '') FROM etl.audit a`)
	for _, value := range []string{clientID, email, nif, iban, "424243", "canari.brise", "Canari", segment, score} {
		for _, form := range []string{value, hex.EncodeToString([]byte(value))} {
			if strings.Contains(said, form) {
				h.t.Errorf("%s was said outside of an answer", form)
			}
		}
	}
}

// values lists the values of an answer.
func values(a reveal.Answer) (list []string) {
	for _, r := range a.Records {
		list = append(list, fmt.Sprintf("%s %s %d %s", r.ImportID, r.Resource, r.Line, r.Raw))
		for _, v := range r.Values {
			text := "-"
			if v.Text != nil {
				text = *v.Text
			}
			list = append(list, v.Field+"="+text)
		}
	}
	return list
}

func TestReveal(t *testing.T) {
	h := open(t)
	client := imported + " clients 7 "
	for name, c := range map[string]struct {
		request reveal.Request
		want    []string
	}{
		"by the key":            {ofClient("email", "nif", "phone"), []string{client, "email=" + email, "nif=" + nif, "phone=-"}},
		"in another form":       {reveal.Request{Table: "clients", Where: where("client_id", " +0"+clientID), Fields: []string{"client_id"}, Reason: reason}, []string{client, "client_id=" + clientID}},
		"by another token":      {reveal.Request{Table: "clients", Where: where("nif", nif), Fields: []string{"email"}, Reason: reason}, []string{client, "email=" + email}},
		"by a public key":       {reveal.Request{Table: "paiements", Where: where("payment_id", "0501"), Fields: []string{"iban"}, Reason: reason}, []string{imported + " paiements 9 ", "iban=" + iban}},
		"by a public field":     {reveal.Request{Table: "paiements", Where: where("method", "virement"), Fields: []string{"iban"}, Reason: reason}, []string{imported + " paiements 9 ", "iban=" + iban}},
		"nobody":                {reveal.Request{Table: "clients", Where: where("client_id", "1"), Fields: []string{"email"}, Reason: reason}, nil},
		"a field of an event":   {reveal.Request{Event: event, Fields: []string{"email"}, Reason: reason}, []string{client, "email=" + email}},
		"an answer of a source": {reveal.Request{Event: event, Fields: []string{"risk_score"}, Reason: reason}, []string{client, "risk_score=" + score}},
		"an event": {ofEvent(), []string{
			client, "client_id=" + clientID, "first_name=Zoé", "last_name=Canari", "email=" + email, "nif=" + nif, "phone=-", "birth_date=-", "address=-",
			"segment=" + segment, "risk_score=" + score,
		}},
		"a malformed line": {ofLine(11), []string{imported + " clients 11 " + broken}},
		"a rejected line": {ofLine(12), []string{
			imported + " clients 12 ", "client_id=" + clientID, "first_name=Zoé", "last_name=Canari", "email=" + email, "nif=" + nif, "phone=-", "birth_date=-", "address=-",
			"city=Lyon", "country=FR", "created_at=2024-10-08T10:00:00Z",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := h.ask(anne, c.request)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, values(a)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n := postgrestest.Scan[int](t, h.conn, `SELECT count(*) FROM etl.audit WHERE request_id = $1 AND verified AND identity = $2 AND access_key_id = 'ASIA1'`, a.RequestID, anne.ARN); n != 3 {
				t.Errorf("%d entries in the audit, want 3", n)
			}
		})
	}
	h.quiet()
}

// TestAuditHolds: the entries have the reason and the fields, and how the records were
// found, but not by which value; the one before the values go out has the records, too.
func TestAuditHolds(t *testing.T) {
	h := open(t)
	if _, err := h.ask(anne, ofClient("email", "nif")); err != nil {
		t.Fatal(err)
	}
	const asked = `"table": "clients", "fields": ["email", "nif"], "reason": "` + reason + `"`
	want := `{"by": "client_id", ` + asked + `} {"by": "client_id", "count": 1, ` + asked + `, "records": [{"line": 7, "resource": "clients", ` +
		`"import_id": "` + imported + `", "generation": 2}], "principal": "arn:aws:sts::111122223333:assumed-role/Compliance"}`
	if got := h.asked(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := h.entries(); got != "reveal asked, reveal asked 1, reveal done revealed" {
		t.Errorf("entries %s", got)
	}
}

// TestAuditHoldsRefusals: a refusal that tells something of the data is preceded by an
// entry of who asked for what and why.
func TestAuditHoldsRefusals(t *testing.T) {
	const nobody, other = "01926e9c-2b3a-7c4d-8e5f-000000000000", "payment_data_20241008.csv"
	for name, c := range map[string]struct {
		request reveal.Request
		refusal string
		details string
	}{
		"too many": {
			reveal.Request{Table: "clients", Where: where("city", "Lyon"), Fields: []string{"email"}, Reason: reason},
			reveal.RefusedMany(),
			`{"by": "city", "table": "clients", "fields": ["email"], "reason": "` + reason + `"}`,
		},
		"an unknown event": {
			reveal.Request{Event: "{" + nobody + "}", Fields: []string{"nif", "email", "email"}, Reason: reason},
			reveal.RefusedNoEvent,
			`{"event": "` + nobody + `", "fields": ["email", "nif"], "reason": "` + reason + `"}`,
		},
		"no such line": {
			reveal.Request{Raw: &reveal.Line{ImportID: imported, File: other, Line: 11}, Reason: reason},
			reveal.RefusedNoLine,
			`{"raw": {"file": "` + other + `", "line": 11, "import_id": "` + imported + `"}, "reason": "` + reason + `"}`,
		},
		"a purged line": {
			ofLine(12), reveal.RefusedPurged,
			`{"raw": {"file": "client_data_20241008.csv", "line": 12, "import_id": "` + imported + `"}, "reason": "` + reason + `"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			for n := range reveal.MaxRecords {
				h.client(fmt.Sprint(1000+n), int64(100+n))
			}
			h.exec(`DROP TABLE partitions.staged`)
			h.trail.failAsked = "not saved"
			if _, err := h.ask(anne, c.request); !errors.Is(err, errLost) {
				t.Errorf("without an entry: %v", err)
			}
			h.trail.failAsked = ""
			_, err := h.ask(anne, c.request)
			if refused, ok := errors.AsType[*fault.Refused](err); !ok || refused.Reason != c.refusal {
				t.Errorf("got %v, want %q", err, c.refusal)
			}
			if got := h.asked(); got != c.details {
				t.Errorf("got  %s\nwant %s", got, c.details)
			}
			h.quiet()
		})
	}
}

func TestRefused(t *testing.T) {
	h := open(t)
	with := func(change func(*reveal.Request)) reveal.Request {
		r := ofClient("email")
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		by      caller.Identity
		request reveal.Request
		want    string
	}{
		"a long reason":            {anne, with(func(r *reveal.Request) { r.Reason = strings.Repeat("é", 501) }), reveal.RefusedLong()},
		"an unverified person":     {caller.Identity{}, ofClient("email"), reveal.RefusedUnverified},
		"no reason":                {anne, with(func(r *reveal.Request) { r.Reason = " \t" }), reveal.RefusedReason},
		"a reason with the value":  {anne, with(func(r *reveal.Request) { r.Reason = "client " + clientID }), reveal.RefusedEcho},
		"an unknown table":         {anne, with(func(r *reveal.Request) { r.Table = "salaires" }), reveal.RefusedTable("salaires")},
		"an unknown field":         {anne, ofClient("email", "iban"), reveal.RefusedField("iban", "clients")},
		"a public field":           {anne, ofClient("city"), reveal.RefusedPublic("city", "clients")},
		"a field of events alone":  {anne, ofClient("email", "segment"), reveal.RefusedInEvents("segment")},
		"a public answer":          {anne, reveal.Request{Event: event, Fields: []string{"loyalty_tier"}, Reason: reason}, reveal.RefusedPublic("loyalty_tier", "events")},
		"no field":                 {anne, ofClient(), reveal.RefusedShape},
		"no condition":             {anne, with(func(r *reveal.Request) { r.Where = nil }), reveal.RefusedShape},
		"a field without a token":  {anne, with(func(r *reveal.Request) { r.Where = where("email", email) }), reveal.RefusedSearch("email")},
		"an unknown condition":     {anne, with(func(r *reveal.Request) { r.Where = where("iban", iban) }), reveal.RefusedField("iban", "clients")},
		"a value of no form":       {anne, with(func(r *reveal.Request) { r.Where = where("client_id", "Canari") }), reveal.RefusedValue("client_id")},
		"two things":               {anne, with(func(r *reveal.Request) { r.Event = event }), reveal.RefusedShape},
		"nothing":                  {anne, reveal.Request{Reason: reason}, reveal.RefusedShape},
		"no event_id":              {anne, reveal.Request{Event: "Canari", Reason: reason}, reveal.RefusedEvent},
		"a field of no table":      {anne, reveal.Request{Event: event, Fields: []string{"salaire"}, Reason: reason}, reveal.RefusedNoField("salaire")},
		"an unknown event":         {anne, reveal.Request{Event: "01926e9c-2b3a-7c4d-8e5f-000000000000", Reason: reason}, reveal.RefusedNoEvent},
		"fields of a line":         {anne, reveal.Request{Raw: ofLine(11).Raw, Fields: []string{"email"}, Reason: reason}, reveal.RefusedShape},
		"a line that is no reject": {anne, ofLine(7), reveal.RefusedNoLine},
		"an unknown import": {
			anne, reveal.Request{Raw: &reveal.Line{ImportID: "IMPORT_20000101_000000_001", File: "client_data_20241008.csv", Line: 11}, Reason: reason}, reveal.RefusedNoLine,
		},
		"a line of another file": {anne, reveal.Request{Raw: &reveal.Line{ImportID: imported, File: "payment_data_20241008.csv", Line: 11}, Reason: reason}, reveal.RefusedNoLine},
	} {
		t.Run(name, func(t *testing.T) {
			h.kms.decrypts = 0
			a, err := h.ask(c.by, c.request)
			refused, ok := errors.AsType[*fault.Refused](err)
			if !ok || refused.Reason != c.want || len(a.Records) != 0 || h.kms.decrypts != 0 {
				t.Errorf("got %v, %v and %d data keys; want %q", a, err, h.kms.decrypts, c.want)
			}
		})
	}
	if got := postgrestest.Scan[int](t, h.conn, `SELECT count(*) FROM etl.audit WHERE stage = 'done' AND outcome LIKE 'Refused: %'`); got != 23 {
		t.Errorf("%d refusals in the audit, want 23", got)
	}
	h.quiet()
}

// TestPurged: a well-formed reject is gone with its staged records; a malformed one stays.
func TestPurged(t *testing.T) {
	h := open(t)
	h.exec(`DROP TABLE partitions.staged`)
	if _, err := h.ask(anne, ofLine(12)); err == nil || !strings.Contains(err.Error(), reveal.RefusedPurged) {
		t.Errorf("got %v", err)
	}
	if _, err := h.ask(anne, ofLine(11)); err != nil {
		t.Error(err)
	}
}

// TestBounds: a call reveals a hundred records, and a principal as many as a day allows,
// under whatever name of a session; then there is an alert and no value.
func TestBounds(t *testing.T) {
	h := open(t)
	h.exec(`DELETE FROM final.paiements`)
	for n := range 101 {
		h.insert("final", "paiements", int64(100+n), map[string]string{
			"payment_id": fmt.Sprint(1000 + n), "sale_id": fmt.Sprint(n / 100), "amount": "1.00", "method": "carte", "iban": iban, "paid_at": "2024-10-08T10:00:00Z",
		})
	}
	ask := func(by caller.Identity, field, value string) (reveal.Answer, error) {
		return h.ask(by, reveal.Request{Table: "paiements", Where: where(field, value), Fields: []string{"iban"}, Reason: reason})
	}
	if _, err := ask(anne, "method", "carte"); err == nil || !strings.Contains(err.Error(), reveal.RefusedMany()) {
		t.Errorf("101 records: %v", err)
	}
	if a, err := ask(anne, "sale_id", "0"); err != nil || len(a.Records) != 100 {
		t.Fatalf("100 records: %d, %v", len(a.Records), err)
	}
	h.kms.decrypts = 0
	again := caller.Identity{ARN: strings.Replace(anne.ARN, "/anne", "/another-name", 1), AccessKey: "ASIA2"}
	if a, err := ask(again, "sale_id", "0"); err == nil || !strings.Contains(err.Error(), reveal.RefusedDay(100, 150)) || len(a.Records) != 0 || h.kms.decrypts != 0 {
		t.Errorf("beyond the day: %d records, %d data keys, %v", len(a.Records), h.kms.decrypts, err)
	}
	if got := h.entries(); !strings.HasSuffix(got, "reveal asked, reveal done Refused") {
		t.Errorf("beyond the day: entries %s", got)
	}
	if len(h.inbox.alerts) != 1 || !strings.Contains(h.inbox.alerts[0].Text, "another-name") || !strings.Contains(h.inbox.alerts[0].Text, "150") {
		t.Errorf("alerts %+v", h.inbox.alerts)
	}
	if a, err := ask(again, "sale_id", "1"); err != nil || len(a.Records) != 1 {
		t.Errorf("within the day: %+v, %v", a, err)
	}
	other := caller.Identity{ARN: "arn:aws:iam::111122223333:user/bob"}
	if a, err := ask(other, "sale_id", "0"); err != nil || len(a.Records) != 100 {
		t.Errorf("another principal: %d, %v", len(a.Records), err)
	}
	h.quiet()
}

// TestAuditUnavailable: without an entry before and after the deed there is no answer,
// whether the entry was saved or not. Without the first nothing is looked up, and without
// those before the deed nothing is decrypted.
func TestAuditUnavailable(t *testing.T) {
	for _, fail := range []string{"not saved", "saved"} {
		h := open(t)
		h.trail.failAsked, h.kms.macs = fail, 0
		if a, err := h.ask(anne, ofClient("email")); !errors.Is(err, errLost) || len(a.Records) != 0 || h.kms.decrypts != 0 || h.kms.macs != 0 {
			t.Errorf("%s before the search: %+v, %v, %d data keys, %d MACs", fail, a, err, h.kms.decrypts, h.kms.macs)
		}
		if f, err := h.revealer.Find(t.Context(), anne, reveal.FindRequest{Condition: *where("client_id", clientID)}); !errors.Is(err, errLost) || len(f.Places) != 0 {
			t.Errorf("%s before, find: %+v, %v", fail, f, err)
		}
		h.trail.failAsked, h.trail.failReveal = "", fail
		if a, err := h.ask(anne, ofClient("email")); !errors.Is(err, errLost) || len(a.Records) != 0 || h.kms.decrypts != 0 {
			t.Errorf("%s before: %+v, %v, %d data keys", fail, a, err, h.kms.decrypts)
		}
		h.trail.failReveal, h.trail.failDone = "", fail
		if a, err := h.ask(anne, ofClient("email")); !errors.Is(err, errLost) || len(a.Records) != 0 {
			t.Errorf("%s after: %+v, %v", fail, a, err)
		}
		if f, err := h.revealer.Find(t.Context(), anne, reveal.FindRequest{Condition: *where("client_id", clientID)}); !errors.Is(err, errLost) || len(f.Places) != 0 {
			t.Errorf("%s after, find: %+v, %v", fail, f, err)
		}
		h.quiet()
	}
}

// TestKeyDenied: the fault of KMS has its name, and what was asked stays in the audit.
func TestKeyDenied(t *testing.T) {
	h := open(t)
	h.kms.fail = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
	_, err := h.ask(anne, ofClient("email"))
	if fault.Name(fault.Lift(err)) != "AccessDenied" {
		t.Errorf("got %v", err)
	}
	if got := h.entries(); got != "reveal asked, reveal asked 1, reveal done AccessDenied" {
		t.Errorf("entries %s", got)
	}
	h.exec(`DELETE FROM etl.data_keys`)
	if _, err := h.ask(anne, ofClient("email")); err == nil || !strings.Contains(err.Error(), reveal.RefusedNoKey) {
		t.Errorf("without a data key: %v", err)
	}
	h.quiet()
}

// TestCopied: values that somebody copied to another record, with all that stands beside
// them, are not shown as that record's.
func TestCopied(t *testing.T) {
	h := open(t)
	h.client("7", 8)
	h.exec(`UPDATE final.clients a SET (client_id, first_name, last_name, email, nif, line_number) = (b.client_id, b.first_name, b.last_name, b.email, b.nif, b.line_number)
		FROM final.clients b WHERE a.line_number = 8 AND b.line_number = 7`)
	h.exec(`UPDATE final.paiements SET payment_id = 502`)
	h.exec(`UPDATE final.events SET client_id_token = '\x00'`)
	for _, request := range []reveal.Request{
		{Table: "clients", Where: where("client_id", "7"), Fields: []string{"email"}, Reason: reason},
		{Table: "paiements", Where: where("payment_id", "502"), Fields: []string{"iban"}, Reason: reason},
		ofEvent(),
	} {
		if a, err := h.ask(anne, request); err == nil || !strings.Contains(err.Error(), reveal.RefusedDamaged) || len(a.Records) != 0 {
			t.Errorf("%+v: %+v, %v", request, a, err)
		}
	}
	h.quiet()
}

func TestFind(t *testing.T) {
	h := open(t)
	f, err := h.revealer.Find(t.Context(), anne, reveal.FindRequest{Condition: *where("client_id", "+"+clientID), Reason: reason})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range f.Places {
		got = append(got, fmt.Sprint(p.Resource, " ", p.Field, " ", p.Rows, p.Events, p.Staged, p.Rejects, p.Errors, " ", p.Files))
	}
	want := []string{"clients client_id 1 1 1 1 1 [{daily/client_data_20241008.csv v1}]", "ventes client_id 0 0 0 0 0 []"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if f, err = h.revealer.Find(t.Context(), anne, reveal.FindRequest{Condition: *where("nif", nif)}); err != nil || len(f.Places) != 2 || f.Places[0].Events != 1 {
		t.Errorf("by nif: %+v, %v", f, err)
	}
	if got := h.entries(); got != "find asked, find done found, find asked, find done found" {
		t.Errorf("entries %s", got)
	}
	h.quiet()
}

// TestReasonIsHarmless: the audit takes what a terminal or PostgreSQL would not.
func TestReasonIsHarmless(t *testing.T) {
	h := open(t)
	const hostile, shown = "a\x00b\x1b[31mc\nd", `a\u0000b\u001b[31mc\nd`
	request := ofClient("email")
	request.Reason = hostile
	if _, err := h.ask(anne, request); err != nil {
		t.Error(err)
	}
	if _, err := h.revealer.Find(t.Context(), anne, reveal.FindRequest{Condition: *where("client_id", clientID), Reason: hostile}); err != nil {
		t.Error(err)
	}
	if got := postgrestest.Scan[string](t, h.conn, `SELECT string_agg(DISTINCT details->>'reason', ' | ') FROM etl.audit`); got != shown {
		t.Errorf("reason %q", got)
	}
}

func TestFindRefused(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct {
		by      caller.Identity
		request reveal.FindRequest
		want    string
	}{
		"unverified":              {caller.Identity{}, reveal.FindRequest{Condition: *where("client_id", clientID)}, reveal.RefusedUnverified},
		"an unknown field":        {anne, reveal.FindRequest{Condition: *where("iban", iban)}, reveal.RefusedUnknown("iban")},
		"a value of no form":      {anne, reveal.FindRequest{Condition: *where("client_id", "Canari")}, reveal.RefusedValue("client_id")},
		"a long reason":           {anne, reveal.FindRequest{Condition: *where("client_id", clientID), Reason: strings.Repeat("r", 501)}, reveal.RefusedLong()},
		"a reason with the value": {anne, reveal.FindRequest{Condition: *where("client_id", clientID), Reason: "client " + clientID}, reveal.RefusedEcho},
	} {
		_, err := h.revealer.Find(t.Context(), c.by, c.request)
		if refused, ok := errors.AsType[*fault.Refused](err); !ok || refused.Reason != c.want {
			t.Errorf("%s: %v", name, err)
		}
		h.texts = append(h.texts, fmt.Sprint(err))
	}
	h.quiet()
}

// TestOutOfTime: a request that its function has no time left for fails, and the audit
// says so.
func TestOutOfTime(t *testing.T) {
	h := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), reveal.Spare)
	defer cancel()
	if a, err := h.revealer.Reveal(ctx, anne, ofClient("email")); fault.Name(fault.Lift(err)) != etl.FaultTransient || len(a.Records) != 0 || h.kms.decrypts != 0 {
		t.Errorf("reveal: %+v, %v, %d data keys", a, err, h.kms.decrypts)
	}
	cancel() // the caller has gone
	if f, err := h.revealer.Find(ctx, anne, reveal.FindRequest{Condition: *where("client_id", clientID)}); err == nil || len(f.Places) != 0 {
		t.Errorf("find: %+v, %v", f, err)
	}
	if got := h.entries(); !strings.HasPrefix(got, "reveal done Transient, find done ") {
		t.Errorf("entries %q", got)
	}
	h.quiet()
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := reveal.New(reveal.Config{}); err == nil {
		t.Error("an empty configuration was taken")
	}
}
