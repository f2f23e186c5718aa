//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/infra/proof/stack"
)

// replayed is what the registry holds of an import's last replay.
type replayed struct {
	Replay struct {
		Number int    `dynamodbav:"number"`
		Status string `dynamodbav:"status"`
		Told   bool   `dynamodbav:"told"`
	} `dynamodbav:"replay"`
}

// TestReplay: the source is down for longer than the patience; once it answers, a replay
// asks again for what stayed unenriched. Then every event, with what completes it folded in,
// holds what an undisturbed import holds, and the tables are as they were. Asked for twice at
// once, it is done once. A day that arrives while it waits goes first, and what the day
// changes is skipped.
func TestReplay(t *testing.T) {
	sc := baseline(t)
	restore := sc.configure(t, "EnrichFunction", map[string]string{"ENRICHMENT_PATIENCE_DAILY": "0"})
	defer func() { restore() }()
	defer sc.restoreEnrichment(t)
	of := sc.day(t, "-rows", "60", "-seed", "16")
	sc.enrichment(t, "/faults", map[string]any{"mode": "error500"})
	sc.upload(t, of, of.files(t)...)
	imp := sc.awaitStatus(t, of.Mode, of.Date, succeeded, 1)
	found := sc.absorb(t, imp, of)
	// With patience the replay waits for the source, which still is down.
	restore()
	restore = func() {}
	sc.begin(t, imp)
	sc.begin(t, imp)
	until(t, "the replay to wait for the source", func() (waits bool, err error) {
		err = sc.db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM etl.enrichment_outages WHERE import_id = $1 AND attempt > 1 AND down_since IS NOT NULL)`, imp.ImportID).Scan(&waits)
		return waits, err
	})
	next := sc.day(t, "-rows", "60", "-seed", "17")
	sc.upload(t, next, next.files(t)...)
	sc.await(t, "the day to go first", next.Mode, next.Date, func(stack.Import) (bool, error) { return true, nil })
	sc.restoreEnrichment(t)
	newer := sc.absorb(t, sc.awaitStatus(t, next.Mode, next.Date, succeeded, 1), next)
	before := sc.content(t)
	sc.mustRefuseSource(t, imp)
	sc.endOfReplay(t, imp, 1)
	var left int
	if err := sc.db.QueryRow(t.Context(), `SELECT count(*) FROM etl.errors WHERE import_id = $1 AND rule = 'enrichment' AND resolved_at IS NULL`, imp.ImportID).Scan(&left); err != nil {
		t.Fatal(err)
	}
	sc.awaitAlert(t, imp.ImportID, "rejeu termine", fmt.Sprintf("Encore non enrichis : %d\n", left))
	if out := string(sc.etlctl(t, "enrich", imp.ImportID)); !strings.Contains(out, "Rejeu 2") || !strings.Contains(out, "« réussi »") {
		t.Errorf("another replay:\n%s", out)
	}
	sc.endOfReplay(t, imp, 2)
	sc.compareReplay(t, imp, found["clients"], newer["clients"])
	if diff := cmp.Diff(before, sc.content(t)); diff != "" {
		t.Error("a replay changed a table")
	}
	sc.revealCompletion(t, imp)
	sc.checkAttempts(t, imp, []stack.Attempt{
		{Kind: "start", Trigger: "file", Generation: 1}, {Kind: "enrich", Trigger: "command", Generation: 1}, {Kind: "enrich", Trigger: "command", Generation: 1},
	})
	if out := string(sc.etlctl(t, "status", imp.ImportID)); !strings.Contains(out, "Rejeux de l'enrichissement") {
		t.Errorf("the status does not show the replay:\n%s", out)
	}
	var completions int
	if err := sc.db.QueryRow(t.Context(), `SELECT count(*) FROM final.events WHERE import_id = $1 AND completes IS NOT NULL`, imp.ImportID).Scan(&completions); err != nil {
		t.Fatal(err)
	}
	sc.Events += completions
	sc.note(t, publishedFile, sc.journal)
	sc.look(t)
}

// begin asks for a replay, as an administrator does.
func (sc *scenario) begin(t *testing.T, imp stack.Import) {
	t.Helper()
	if _, refused := sc.ask(t, "/rerun", map[string]any{"import_id": imp.ImportID, "mode": "enrich"}); refused != "" {
		t.Fatalf("replay of %s: %s", imp.ImportID, refused)
	}
}

// mustRefuseSource checks that a source that does not exist is refused.
func (sc *scenario) mustRefuseSource(t *testing.T, imp stack.Import) {
	t.Helper()
	if _, refused := sc.ask(t, "/rerun", map[string]any{"import_id": imp.ImportID, "mode": "enrich", "source": "inconnue"}); !strings.HasPrefix(refused, "Refused: ") {
		t.Errorf("a source that does not exist: %s", refused)
	}
}

// endOfReplay waits until a replay has succeeded and operators were told.
func (sc *scenario) endOfReplay(t *testing.T, imp stack.Import, number int) {
	t.Helper()
	until(t, "the end of the replay", func() (bool, error) {
		var now replayed
		_, err := sc.Item(t.Context(), "IMPORT#"+imp.ImportID, "META", &now)
		return now.Replay.Number == number && now.Replay.Status == "réussi" && now.Replay.Told, err
	})
}

// compareReplay folds what completes the events of clients into these, and compares them
// with what the source answers. Those that a newer import has changed are not completed.
func (sc *scenario) compareReplay(t *testing.T, imp stack.Import, clients, newer []keyed) {
	t.Helper()
	byLine := map[int64]event{}
	for _, e := range sc.events(t, imp.ImportID) {
		if e.id.Version() != 5 || e.resource != "clients" {
			continue
		}
		if _, twice := byLine[e.line]; twice || e.kind != "client.enriched" {
			t.Errorf("line %d is completed twice, or by %s", e.line, e.kind)
		}
		byLine[e.line] = e
	}
	var folded []keyed
	for _, e := range clients {
		c, completed := byLine[e.line]
		changed := slices.ContainsFunc(newer, func(n keyed) bool { return n.key == e.key })
		if changed == completed {
			t.Errorf("line %d: completed %v, changed by the newer import %v", e.line, completed, changed)
		}
		if !completed {
			continue
		}
		e.data = maps.Clone(e.data)
		delete(e.data, "enrichment_error")
		maps.Copy(e.data, c.data)
		e.enrichment = c.enrichment
		folded = append(folded, e)
	}
	if len(folded) == 0 || len(byLine) != len(folded) {
		t.Fatalf("%d events complete %d of %d", len(byLine), len(folded), len(clients))
	}
	sc.compareEnrichment(t, sc.vault, enriched{"clients": folded})
	var resolved, open int
	if err := sc.db.QueryRow(t.Context(), `SELECT count(resolved_at), count(*) FILTER (WHERE resolved_at IS NULL) FROM etl.errors WHERE import_id = $1 AND rule = 'enrichment' AND resource = 'clients'`,
		imp.ImportID).Scan(&resolved, &open); err != nil || resolved != len(folded) || open != len(clients)-len(folded) {
		t.Errorf("%d errors are resolved, %d are not: %v", resolved, open, err)
	}
}

// revealCompletion reads what a replay sealed, as a person who may.
func (sc *scenario) revealCompletion(t *testing.T, imp stack.Import) {
	t.Helper()
	var id string
	if err := sc.db.QueryRow(t.Context(), `SELECT event_id::text FROM final.events WHERE import_id = $1 AND completes IS NOT NULL AND enrichment = 'ok' LIMIT 1`, imp.ImportID).Scan(&id); err != nil {
		t.Fatal(err)
	}
	answer, failed := sc.ask(t, "/reveal", map[string]any{"event": id, "fields": []string{"client_id", "segment"}, "reason": "essai de lecture"})
	if failed != "" {
		t.Fatal(failed)
	}
	values := revealed(t, answer)
	if want := sc.lookup(t, []string{values["client_id"]})[0]["segment"]; values["segment"] != text(want) {
		t.Error("the values are not those that were sealed")
	}
	if names := slices.Sorted(maps.Keys(values)); !slices.Equal(names, []string{"client_id", "segment"}) {
		t.Errorf("the answer has %v", names)
	}
}
