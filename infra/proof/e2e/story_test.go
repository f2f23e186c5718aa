//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"etl-dataloader/infra/proof/stack"
)

// story is what was told so far: what stands in the published tables, and which
// sets made it.
type story struct {
	*system
	vault  *vault
	model  model
	sets   []set // published, by file date
	events int   // published
	search *search
}

// TestStory tells the whole story of a stack, from its first import on.
func TestStory(t *testing.T) {
	y := &story{system: open(t), model: model{}, search: newSearch()}
	y.vault = y.system.vault()
	for _, step := range []struct {
		name string
		tell func(*testing.T)
	}{
		{"history", y.history},
		{"day with faults", y.dayWithFaults},
		{"older day", y.olderDay},
		{"bad names", y.names},
		{"faulty day", y.faultyDay},
		{"deadline", y.deadline},
		{"restart", y.restart},
		{"forced restart", y.forcedRestart},
		{"redrive", y.redrive},
		{"queue", y.queue},
		{"automatic redrive", y.automatic},
		{"crash", y.crash},
		{"enrichment outage", y.outage},
		{"sample events", y.samples},
		{"secrecy", y.secrecy},
	} {
		if !t.Run(step.name, step.tell) {
			t.Fatalf("the story ends at %q: its later steps build on it", step.name)
		}
	}
}

// history is the initial import: its files come in any order, with every
// notification repeated, and make one import, which readers see whole or not at
// all.
func (y *story) history(t *testing.T) {
	of := y.sample(t, "initial", "2024-10-01", "-rows", historyRows, "-seed", "7", "-faults", "0.01")
	before, readers := y.model.expected(y.events), y.watch(t)
	y.upload(t, of, of.files(t)...)
	for _, name := range slices.Concat(of.files(t), of.files(t)) {
		y.notifyLater(t, of.Mode+"/"+name, "")
	}
	y.sleepThrough(t, readers, before)
	imp := y.settle(t, of, 1)
	readers.sawOnly(t, before, y.model.expected(y.events))
	for _, name := range of.files(t) {
		if outcome := y.notify(t, of.Mode+"/"+name, ""); outcome != "unchanged" {
			t.Errorf("the replayed notification of %s: %q", name, outcome)
		}
	}
	if n := y.imports(t); n != 1 {
		t.Errorf("%d imports, want one", n)
	}
	machine := y.Env["STATE_MACHINE_ARN"]
	executions, err := y.SFN.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &machine})
	if err != nil || len(executions.Executions) != 1 {
		t.Errorf("%d executions, want one: %v", len(executions.Executions), err)
	}
	var chunks int
	if err := y.db.QueryRow(t.Context(), `SELECT count(*) FROM etl.ledger WHERE import_id = $1 AND phase = 'Stage'`, imp.ImportID).Scan(&chunks); err != nil || chunks <= 10 {
		t.Errorf("%d chunks of ten files, want more: %v", chunks, err)
	}
}

// sleepThrough lets a reader take its snapshot while rows are prepared, and look
// only when the import is proven: it must not be published before that reader is
// done, who would see the new tables with some of their rows.
func (y *story) sleepThrough(t *testing.T, readers *reader, before counts) {
	t.Helper()
	in := func(phase string) {
		until(t, "a unit of "+phase, func() (done bool, err error) {
			err = y.db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM etl.ledger WHERE phase = $1)`, phase).Scan(&done)
			return done, err
		})
	}
	in("Prepare")
	sleeper := y.sleep(t)
	in("Reconcile")
	const aWhile = 200 // polls of the other readers: time enough to publish
	polls := readers.polls()
	until(t, "the other readers to go on", func() (bool, error) { return readers.polls() > polls+aWhile, nil })
	if got := sleeper.wake(t); got != before {
		t.Errorf("a reader with an older snapshot sees %v = %v, want %v", watched, got, before)
	}
}

// dayWithFaults is a daily import of mixed formats with a fault of every kind.
func (y *story) dayWithFaults(t *testing.T) {
	of := y.sample(t, "daily", "2024-10-08", "-rows", "300", "-seed", "7", "-faults", "0.02", "-format", "mixed")
	before, readers := y.model.expected(y.events), y.watch(t)
	y.upload(t, of, of.files(t)...)
	y.settle(t, of, 1)
	readers.sawOnly(t, before, y.model.expected(y.events))
}

// olderDay is a date that comes after a later one was published: what it brings
// is inserted, but nothing newer changes.
func (y *story) olderDay(t *testing.T) {
	of := y.sample(t, "daily", "2024-10-07", "-rows", "200", "-seed", "8")
	y.upload(t, of, of.files(t)...)
	imp := y.settle(t, of, 1)
	skipped := y.log(t, func(l line) bool {
		return l.ImportID == imp.ImportID && l.Level == "WARN" && strings.HasPrefix(l.Message, "Rechargement ignoré")
	})
	if len(skipped) != 4 {
		t.Errorf("%d reloads of reference tables were skipped with a WARN, want 4", len(skipped))
	}
	var kept int
	if err := y.db.QueryRow(t.Context(), `SELECT count(*) FROM final.clients c WHERE file_date = '2024-10-08' AND EXISTS (
		SELECT FROM final.events e WHERE e.import_id = $1 AND e.client_id_token = c.client_id_token)`, imp.ImportID).Scan(&kept); err != nil || kept == 0 {
		t.Errorf("the older day brings no client that is newer already (%v): the guard was not tried", err)
	}
}

// settle waits until the import of a set has succeeded and compares everything
// with the oracle's word; then the set belongs to what is published.
func (y *story) settle(t *testing.T, of set, attempts int) stack.Import {
	t.Helper()
	imp := y.awaitStatus(t, of.Mode, of.Date, succeeded, attempts)
	y.compareEnrichment(t, y.absorb(t, imp, of))
	y.look(t, y.search)
	return imp
}

// absorb compares an import with the oracle and adds it to the model. It returns
// the events of the clients.
func (y *story) absorb(t *testing.T, imp stack.Import, of set) map[string]event {
	t.Helper()
	want := y.judge(t, of, y.sets...)
	clients := y.compare(t, y.vault, imp, of, want)
	y.model.publish(y.system, imp, of, want)
	y.model.check(t, y.system, y.vault)
	for _, values := range want.values {
		y.events += len(values)
	}
	y.sets = append(y.sets, of)
	slices.SortFunc(y.sets, func(a, b set) int { return strings.Compare(a.Date, b.Date) })
	return clients
}

// notification is the event of an uploaded object, made from the sample event.
// Its version may be left out, as in a bucket without versions.
func (y *story) notification(t *testing.T, key, versionID string) json.RawMessage {
	t.Helper()
	var event map[string]any
	if err := json.Unmarshal(read(t, filepath.Join("functions", "intake", "event.json")), &event); err != nil {
		t.Fatal(err)
	}
	event["detail"] = map[string]any{
		"bucket": map[string]any{"name": y.Env["LANDING_BUCKET"]},
		"object": map[string]any{"key": key, "version-id": versionID},
	}
	body, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// notify delivers the notification of an object once more and returns its outcome.
func (y *story) notify(t *testing.T, key, versionID string) string {
	t.Helper()
	answer, failed := y.invoke(t, "IntakeFunction", y.notification(t, key, versionID))
	if failed != "" {
		t.Fatalf("intake of %s: %s", key, failed)
	}
	return text(answer["outcome"])
}

// notifyLater delivers the notification of an object once more, some time.
func (y *story) notifyLater(t *testing.T, key, versionID string) {
	t.Helper()
	name := y.function(t, "IntakeFunction")
	if _, err := y.Lambda.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: &name, InvocationType: lambdatypes.InvocationTypeEvent, Payload: y.notification(t, key, versionID),
	}); err != nil {
		t.Fatal(err)
	}
}
