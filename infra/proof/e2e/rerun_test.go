//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
)

// rerun asks for a re-execution, as an administrator does, after a search for
// canaries in what the failure left.
func (sc *scenario) rerun(t *testing.T, imp stack.Import, mode string) {
	t.Helper()
	sc.look(t)
	if _, refused := sc.ask(t, "/rerun", map[string]any{"import_id": imp.ImportID, "mode": mode}); refused != "" {
		t.Fatalf("%s of %s: %s", mode, imp.ImportID, refused)
	}
}

// mustRefuse checks that a re-execution is refused.
func (sc *scenario) mustRefuse(t *testing.T, imp stack.Import, mode string) {
	t.Helper()
	answer, refused := sc.ask(t, "/rerun", map[string]any{"import_id": imp.ImportID, "mode": mode})
	if !strings.HasPrefix(refused, "Refused: ") {
		t.Errorf("%s of %s, «%s»: %v %s, want a refusal", mode, imp.ImportID, imp.Status, answer, refused)
	}
}

// failedAt checks where and why an import failed, in the registry, the log and
// the alert.
func (sc *scenario) failedAt(t *testing.T, imp stack.Import, state, step, reason string) {
	t.Helper()
	if imp.State != state || imp.Step != step || !strings.Contains(imp.Reason, reason) {
		t.Errorf("%s failed at %s, «%s»: %s; want %s, «%s»: …%s…", imp.ImportID, imp.State, imp.Step, imp.Reason, state, step, reason)
	}
	sc.awaitLog(t, "the failure of "+imp.ImportID, func(l line) bool {
		return l.ImportID == imp.ImportID && l.Level == "ERROR" && l.Step == step && strings.Contains(l.Details, reason)
	})
	sc.awaitAlert(t, imp.ImportID, "en echec", step, reason)
}

// TestRedrive: an import fails twice at steps that write, and each time goes on
// where it failed. Nothing that was done is done again.
func TestRedrive(t *testing.T) {
	sc := baseline(t)
	defer sc.clear(t)
	of := sc.day(t, "-rows", "500", "-seed", "11")
	sc.place(t, obstacle{"Prepare", "ventes", 1})
	sc.upload(t, of, of.files(t)...)
	imp := sc.awaitStatus(t, of.Mode, of.Date, failed, 1)
	sc.failedAt(t, imp, "Prepare", "Persistance des événements", "53100")
	raw, works := sc.ledger(t, imp), sc.workObjects(t, imp)
	prepares := func(u unit) bool { return u.Phase == "Prepare" }
	stopped := func(u unit) bool { return prepares(u) && u.Resource == "ventes" && u.Chunk == 1 }
	if slices.ContainsFunc(raw, stopped) || !slices.ContainsFunc(raw, prepares) {
		t.Fatalf("the obstacle is to stop one chunk of several: %v", raw)
	}
	sc.clear(t)
	sc.place(t, obstacle{"Publish", "", 0})
	sc.rerun(t, imp, "resume")
	imp = sc.awaitStatus(t, of.Mode, of.Date, failed, 2)
	sc.failedAt(t, imp, "Publish", "Persistance des événements", "53100")
	sc.insertedOnce(t, imp, sc.judge(t, of, sc.Sets...))
	prepared := sc.ledger(t, imp)
	kept(t, "ledger row", raw, prepared)
	sc.clear(t)
	sc.rerun(t, imp, "resume")
	imp = sc.settle(t, of, 3)
	kept(t, "ledger row", prepared, sc.ledger(t, imp))
	kept(t, "work object", works, sc.workObjects(t, imp))
	sc.stagedOnce(t, imp, sc.judge(t, of, sc.Sets...))
	sc.checkAttempts(t, imp, []stack.Attempt{
		{Kind: "start", Trigger: "file", Generation: 1},
		{Kind: "resume", Trigger: "command", Generation: 1, FailedStep: "Persistance des événements", FailedReason: "53100"},
		{Kind: "resume", Trigger: "command", Generation: 1, FailedStep: "Persistance des événements", FailedReason: "53100"},
	})
	execution, err := sc.SFN.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &imp.ExecutionARN})
	if err != nil || aws.ToString(execution.Name) != imp.ImportID || aws.ToInt32(execution.RedriveCount) != 2 {
		t.Errorf("execution %v redriven %v times: %v", aws.ToString(execution.Name), aws.ToInt32(execution.RedriveCount), err)
	}
	sc.mustRefuse(t, imp, "resume")
	sc.mustRefuse(t, imp, "restart")
}

// kept checks that everything that was there before is there unchanged.
func kept[T comparable](t *testing.T, what string, before, after []T) {
	t.Helper()
	if len(before) == 0 {
		t.Errorf("no %s to compare", what)
	}
	for _, b := range before {
		if !slices.Contains(after, b) {
			t.Errorf("the %s %v is gone or was written again", what, b)
		}
	}
}

// stagedOnce checks by PostgreSQL's own counters that every record was inserted
// into its staging table once.
func (sc *scenario) stagedOnce(t *testing.T, imp stack.Import, want verdict) {
	t.Helper()
	sc.flushCounters(t)
	for _, r := range sc.contract.Resources {
		if got := sc.rowCounter(t, leaf("staging", r.Name, imp, "g1")); got != want.Files[r.Name].Read {
			t.Errorf("PostgreSQL counted %d inserts into the staging table of %s, want %d", got, r.Name, want.Files[r.Name].Read)
		}
	}
}

// insertedOnce checks the same of all tables of an import that is ready to be
// published: staging, targets and events.
func (sc *scenario) insertedOnce(t *testing.T, imp stack.Import, want verdict) {
	t.Helper()
	sc.stagedOnce(t, imp, want)
	var events int64
	for _, r := range sc.contract.Resources {
		valid := want.Files[r.Name].Valid
		if got := sc.rowCounter(t, leaf("target", r.Name, imp, "g1")); got != valid {
			t.Errorf("PostgreSQL counted %d inserts into the target table of %s, want %d", got, r.Name, valid)
		}
		events += valid
	}
	if got := sc.rowCounter(t, leaf("events", "", imp, "g1")); got != events {
		t.Errorf("PostgreSQL counted %d inserts into the events, want %d", got, events)
	}
}

// checkAttempts compares the attempts that the registry holds; the reason needs
// to contain what is wanted. Each but the first is in the log as well.
func (sc *scenario) checkAttempts(t *testing.T, imp stack.Import, want []stack.Attempt) {
	t.Helper()
	got := sc.attempts(t, imp.ImportID)
	if len(got) != len(want) {
		t.Fatalf("%s: attempts %+v, want %d", imp.ImportID, got, len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Kind != w.Kind || g.Trigger != w.Trigger || g.Generation != w.Generation || g.FailedStep != w.FailedStep || !strings.Contains(g.FailedReason, w.FailedReason) {
			t.Errorf("%s: attempt %d is %+v, want %+v", imp.ImportID, i+1, g, w)
		}
	}
	logged := sc.log(t, func(l line) bool { return l.ImportID == imp.ImportID && l.Message == "Réexécution" })
	if len(logged) != len(want)-1 {
		t.Errorf("%s: %d re-executions in the log, want %d", imp.ImportID, len(logged), len(want)-1)
	}
	rows, err := sc.db.Query(t.Context(), `SELECT kind, trigger, generation, coalesce(failed_step, '') AS failedstep, coalesce(failed_reason, '') AS failedreason
		FROM etl.attempts WHERE import_id = $1 ORDER BY attempt`, imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stack.Attempt])
	if err != nil || !slices.Equal(copied, got) {
		t.Errorf("%s: etl.attempts has %+v, %v; the registry %+v", imp.ImportID, copied, err, got)
	}
}

// workObjects lists the versions of an import's work objects, without the
// reports: they are written once and never again.
func (sc *scenario) workObjects(t *testing.T, imp stack.Import) []string {
	t.Helper()
	var objects []string
	pages := s3.NewListObjectVersionsPaginator(sc.S3, &s3.ListObjectVersionsInput{
		Bucket: aws.String(sc.Env["WORK_BUCKET"]), Prefix: aws.String(imp.ImportID + "/g"),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			key := aws.ToString(v.Key)
			if strings.Contains(key, "/results/") {
				continue // Step Functions writes these, at each redrive anew
			}
			if !aws.ToBool(v.IsLatest) {
				t.Errorf("the work object %s was written twice", key)
			}
			objects = append(objects, key+" "+aws.ToString(v.VersionId))
		}
	}
	return objects
}

// TestRestart: an import fails and starts over. It ends with the content that an
// import of the same files has which nothing disturbed, and leaves nothing of the
// generation that failed.
func TestRestart(t *testing.T) {
	sc := baseline(t)
	defer sc.clear(t)
	smooth := sc.day(t, "-rows", "200", "-seed", "9")
	sc.upload(t, smooth, smooth.files(t)...)
	first := sc.settle(t, smooth, 1)
	tables, events := sc.content(t), sc.eventContent(t, first)
	of := sc.renamed(t, smooth, sc.nextDate(t))
	imp := sc.publishedByRestart(t, of, "Reconcile", "Persistance des événements")
	if imp.Generation != 2 || !strings.HasSuffix(imp.ExecutionARN, ":"+imp.ImportID+"-2") {
		t.Errorf("generation %d in %s", imp.Generation, imp.ExecutionARN)
	}
	same(t, "the published tables", tables, sc.content(t))
	same(t, "the events", events, sc.eventContent(t, imp))
	sc.checkAttempts(t, imp, []stack.Attempt{
		{Kind: "start", Trigger: "file", Generation: 1},
		{Kind: "restart", Trigger: "command", Generation: 2, FailedStep: "Persistance des événements", FailedReason: "53100"},
	})
	sc.nothingOf(t, imp, 1)
}

// force asks for a forced restart and returns the refusal, if it is refused.
func (sc *scenario) force(t *testing.T, imp stack.Import) (refused string) {
	t.Helper()
	_, refused = sc.ask(t, "/rerun", map[string]any{"import_id": imp.ImportID, "mode": "restart", "force": true})
	return refused
}

// TestForcedRestart: an import that succeeded, in its second generation, starts
// over. It fails half-way, which leaves what readers see as it was, and goes on in a
// new execution; readers never see an event twice or not at all.
func TestForcedRestart(t *testing.T) {
	sc := baseline(t)
	defer sc.clear(t)
	of := sc.day(t, "-rows", "200", "-seed", "17")
	imp := sc.publishedByRestart(t, of, "Open", "Chargement des fichiers")
	history, _ := sc.importOf(t, "initial", historyDate)
	sc.mustRefuse(t, imp, "restart")
	sc.mustRefuse(t, history, "restart")
	if refused := sc.force(t, history); !strings.HasPrefix(refused, "Refused: ") || !strings.Contains(refused, "un import quotidien est déjà publié") {
		t.Errorf("a forced restart of the history: %q, want a refusal", refused)
	}
	tables, events := sc.content(t), sc.eventContent(t, imp)
	published, readers := sc.expected(), sc.watch(t)
	sc.place(t, obstacle{"Publish", "", 0})
	if refused := sc.force(t, imp); refused != "" {
		t.Fatalf("a forced restart of %s: %s", imp.ImportID, refused)
	}
	imp = sc.awaitStatus(t, of.Mode, of.Date, failed, 3)
	sc.failedAt(t, imp, "Publish", "Persistance des événements", "53100")
	same(t, "the tables before they are replaced", tables, sc.content(t))
	sc.clear(t)
	sc.rerun(t, imp, "continue")
	imp = sc.awaitStatus(t, of.Mode, of.Date, succeeded, 4)
	readers.sawOnly(t, published, published)
	if imp.Generation != 3 || !strings.HasSuffix(imp.ExecutionARN, ":"+imp.ImportID+"-4") {
		t.Errorf("generation %d in %s", imp.Generation, imp.ExecutionARN)
	}
	same(t, "the published tables", tables, sc.content(t))
	same(t, "the events", events, sc.eventContent(t, imp))
	sc.Model.regenerate(imp)
	sc.note(t, publishedFile, sc.journal)
	sc.Model.check(t, sc.system, sc.vault)
	sc.checkAttempts(t, imp, []stack.Attempt{
		{Kind: "start", Trigger: "file", Generation: 1},
		{Kind: "restart", Trigger: "command", Generation: 2, FailedStep: "Chargement des fichiers", FailedReason: "53100"},
		{Kind: "restart", Trigger: "command", Generation: 3},
		{Kind: "continue", Trigger: "command", Generation: 3, FailedStep: "Persistance des événements", FailedReason: "53100"},
	})
	sc.nothingOf(t, imp, 2)
}

// publishedByRestart publishes a set in its second generation: the first one fails in
// a state, which belongs to a step.
func (sc *scenario) publishedByRestart(t *testing.T, of set, state, step string) stack.Import {
	t.Helper()
	sc.place(t, obstacle{state, "", 0})
	sc.upload(t, of, of.files(t)...)
	imp := sc.awaitStatus(t, of.Mode, of.Date, failed, 1)
	sc.failedAt(t, imp, state, step, "53100")
	sc.clear(t)
	sc.rerun(t, imp, "restart")
	return sc.settle(t, of, 2)
}

// regenerate applies an import again whose files have not changed.
func (m model) regenerate(imp stack.Import) {
	for _, rows := range m {
		for key, p := range rows {
			if p.ImportID == imp.ImportID {
				p.Generation = imp.Generation
				rows[key] = p
			}
		}
	}
}

// same compares two lists that were made in the same order.
func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if len(want) == 0 || !slices.Equal(want, got) {
		t.Errorf("%s differ: %d rows, then %d", what, len(want), len(got))
	}
}

// nothingOf checks that a generation has left nothing, neither in the database nor
// in the work bucket, but for the partition of events that it made: that one holds
// the events of later generations, too.
func (sc *scenario) nothingOf(t *testing.T, imp stack.Import, generation int) {
	t.Helper()
	suffix := leaf("", "", imp, fmt.Sprintf("g%d", generation))
	var tables int
	if err := sc.db.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables t WHERE schemaname = 'partitions' AND right(tablename, length($1)) = $1
		AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'final.events'::regclass AND inhrelid = format('partitions.%I', t.tablename)::regclass)`, suffix).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables of generation %d are left: %v", tables, generation, err)
	}
	objects, err := sc.S3.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{
		Bucket: aws.String(sc.Env["WORK_BUCKET"]), Prefix: aws.String(fmt.Sprintf("%s/g%d/", imp.ImportID, generation)),
	})
	if err != nil || len(objects.Versions)+len(objects.DeleteMarkers) != 0 {
		t.Errorf("%d work objects of generation %d are left: %v", len(objects.Versions), generation, err)
	}
	for _, table := range []string{"etl.ledger", "etl.errors", "etl.rejects", "etl.files", "etl.incoherences", "final.events"} {
		var rows int
		if err := sc.db.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE import_id = $1 AND generation = $2`, imp.ImportID, generation).Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%s: %d rows of generation %d are left: %v", table, rows, generation, err)
		}
	}
}

// content is every published row in the clear, without what names the import.
func (sc *scenario) content(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, r := range sc.contract.Resources {
		sc.rows(t, r, func(at origin, generation int, _ string, cells map[string]any) {
			row := []string{r.Name}
			for _, f := range r.Fields {
				cell := cells[f.Target]
				if sealed, ok := cell.([]byte); ok {
					cell = sc.vault.open(t, scope{at.importID, generation, r.Name}, sc.vault.record(r.Name, at.line, cells), f.Name, sealed)
				}
				row = append(row, fmt.Sprint(cell))
			}
			all = append(all, strings.Join(row, "|"))
		})
	}
	slices.Sort(all)
	return all
}

// eventContent is every event of an import in the clear, without what names it.
func (sc *scenario) eventContent(t *testing.T, imp stack.Import) []string {
	t.Helper()
	var all []string
	for _, e := range sc.events(t, imp.ImportID) {
		r := sc.contract.Resource(e.resource)
		of := scope{imp.ImportID, e.generation, e.resource}
		fields := r.Fields
		if aws.ToString(e.enrichment) == "ok" {
			fields = r.EventFields()
		}
		for _, f := range fields {
			e.data[f.Target] = sc.vault.member(t, f, of, e)
		}
		all = append(all, fmt.Sprint(e.resource, e.line, e.kind, aws.ToString(e.enrichment), e.data)) // maps print in the order of their keys
	}
	slices.Sort(all)
	return all
}
