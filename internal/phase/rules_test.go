package phase_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/setrule"
	"etl-dataloader/internal/validation"
)

// errors lists the errors of a resource: line, field, rule and details.
func (l *line) errors(t *testing.T, r *run, resource string) []string {
	t.Helper()
	return column(t, l.conn, `SELECT concat_ws(' | ', line_number, field, rule, error_details) FROM etl.errors
		WHERE import_id = $1 AND resource = $2 AND processing_step = $3 ORDER BY line_number, rule, field`, r.imp.ImportID, resource, etl.StepValidation)
}

// rejected lists the rejected lines of a resource.
func (l *line) rejected(t *testing.T, r *run, resource string) string {
	t.Helper()
	return strings.Join(column(t, l.conn, `SELECT line_number::text FROM etl.rejects r WHERE import_id = $1 AND resource = $2 ORDER BY r.line_number`, r.imp.ImportID, resource), " ")
}

// expectErrors compares the errors of a resource, each written as "line | field
// | rule | details".
func (l *line) expectErrors(t *testing.T, r *run, resource string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, l.errors(t, r, resource), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("errors of %s (-want +got)\n%s", resource, diff)
	}
	var lines []string
	for _, w := range want {
		line, _, _ := strings.Cut(w, " ")
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if got := l.rejected(t, r, resource); got != strings.Join(lines, " ") {
		t.Errorf("%s: rejected lines are %s, want %s", resource, got, strings.Join(lines, " "))
	}
}

func duplicate(line, first int64, rule string, fields ...string) string {
	return fmt.Sprintf("%d | %s | %s | %s", line, strings.Join(fields, ", "), rule, setrule.DuplicateText(fields, first))
}

func orphan(line int64, field, parent string) string {
	return fmt.Sprintf("%d | %s | foreignKey | %s", line, field, setrule.UnknownParentText([]string{field}, parent))
}

func cycle(line int64) string {
	return fmt.Sprintf("%d | parent_category_id | cycle | %s", line, setrule.CycleText([]string{"parent_category_id"}))
}

// TestDuplicates: the first line stands, also if it is rejected for something
// else; keys are compared in canonical form.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	const tail = ",,,,Lyon,FR,2024-02-02T03:04:05Z"
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		with("clients", // from line 5 on
			"201,Léa,Un,lea@exemple.fr,3000000001"+tail,
			"+0201,Léo,Deux,leo@exemple.fr,3000000002"+tail,
			"201,Lou,Trois,lou@exemple.fr,3000000001"+tail,
			"202,,Quatre,x@exemple.fr,3000000004"+tail,
			"202,Luc,Cinq,luc@exemple.fr,3000000005"+tail,
			"203,Éric,Six,eric@exemple.fr,3000000005"+tail).
		with("employes", "9,Ana,Neuf,ana@etl.fr,3000000001,1,2015-01-01,", "10,Ari,Dix,ari@etl.fr,2000000001,1,2015-01-01,").
		with("stocks", "1,2,7,2024-10-08T21:00:00Z").
		with("magasins", "007,Est,Metz,FR,2010-01-01", "7,Ouest,Brest,FR,2010-01-01").csv(t)).through(t, "Open", "CrossCheck")
	l.expectErrors(t, r, "clients",
		duplicate(6, 5, "primaryKey", "client_id"),
		duplicate(7, 5, "primaryKey", "client_id"),
		duplicate(7, 5, "unique", "nif"),
		"8 | first_name | required | "+validation.RequiredText("first_name"),
		duplicate(9, 8, "primaryKey", "client_id"),
		duplicate(10, 9, "unique", "nif"),
	)
	l.expectErrors(t, r, "employes", duplicate(5, 2, "unique", "nif")) // a client's nif is another thing
	l.expectErrors(t, r, "stocks", duplicate(5, 3, "primaryKey", "product_id", "store_id"))
	l.expectErrors(t, r, "magasins", duplicate(5, 4, "primaryKey", "store_id"))
}

// TestCategories: a reject cascades down the tree, a cycle is rejected whole,
// and what hangs below a cycle goes with it.
func TestCategories(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		only("categories", // from line 2 on
			"1,Maison,", "2,Jardin,1", "3,Outils,2",
			"10,Orpheline,99", "11,Fille,10", "12,Petite-fille,11",
			"20,Cycle a,21", "21,Cycle b,22", "22,Cycle c,20",
			"30,Elle-même,30",
			"40,Sous le cycle,20", "41,Plus bas,40",
			"50,,", "51,Sous un rejet,50").
		with("produits", "4,Râteau,12,1,9.00,EUR,true", "5,Binette,41,1,9.00,EUR,true").
		with("ventes", "1010,101,4,1,1,9.00,9.00,2024-10-05,web").
		with("stocks", "4,1,1,2024-10-08T20:00:00Z").
		with("paiements", "510,1010,9.00,carte,,2024-10-08T10:00:00Z").
		with("retours", "910,1010,1,erreur,2024-10-08").csv(t)).through(t, "Open", "CrossCheck")
	l.expectErrors(t, r, "categories",
		orphan(5, "parent_category_id", "categories"), orphan(6, "parent_category_id", "categories"), orphan(7, "parent_category_id", "categories"),
		cycle(8), cycle(9), cycle(10), cycle(11),
		orphan(12, "parent_category_id", "categories"), orphan(13, "parent_category_id", "categories"),
		"14 | name | required | "+validation.RequiredText("name"),
		orphan(15, "parent_category_id", "categories"))
	l.expectErrors(t, r, "produits", orphan(5, "category_id", "categories"), orphan(6, "category_id", "categories"))
	l.expectErrors(t, r, "ventes", orphan(6, "product_id", "produits"))
	l.expectErrors(t, r, "stocks", orphan(5, "product_id", "produits"))
	l.expectErrors(t, r, "paiements", orphan(4, "sale_id", "ventes"))
	l.expectErrors(t, r, "retours", orphan(4, "sale_id", "ventes"))
	l.expectErrors(t, r, "fournisseurs")
}

// TestRelationsToFinal: what was published before counts as a parent where a
// table is inserted or updated, and not where it is emptied and reloaded.
func TestRelationsToFinal(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeInitial, "2024-10-07", day().csv(t)).all(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		only("clients", "104,Inès,Roux,ines@exemple.fr,1000000004,,,,Lyon,FR,2024-02-02T03:04:05Z").
		only("produits", "1,Bêche,3,1,12.50,EUR,true", "3,Seau,2,2,3.105,EUR,true").
		only("stocks", "1,1,3,2024-10-08T20:00:00Z", "2,1,3,2024-10-08T20:00:00Z").
		only("ventes", // from line 2 on
			"2001,103,1,1,1,12.50,12.50,2024-10-08,web",      // client of yesterday
			"2002,104,1,1,3,12.50,37.50,2024-10-08,web",      // client of today
			"2003,999,1,1,1,12.50,12.50,2024-10-08,web",      // client of never
			"2004,104,2,1,1,12.50,12.50,2024-10-08,web",      // product of yesterday alone
			"1001,101,1,1,9,12.50,112.50,2024-10-05,magasin", // again, with another quantity
			"1004,999,1,2,9,12.50,112.50,2024-10-05,web").    // again, but rejected: yesterday's stands
		only("paiements", "601,1002,8.00,carte,,2024-10-08T10:00:00Z", "602,2003,8.00,carte,,2024-10-08T10:00:00Z").
		only("retours", // from line 2 on
			"902,1003,5,autre,2024-10-08",                                // all of yesterday's sale, again
			"952,1003,6,autre,2024-10-08",                                // more than it
			"953,2002,3,autre,2024-10-08", "954,2002,4,autre,2024-10-08", // today's sale
			"955,1001,8,autre,2024-10-08",                                // yesterday's sale, corrected today; one piece came back
			"956,1004,1,autre,2024-10-08", "957,1004,2,autre,2024-10-08", // the correction was rejected
			"958,2003,1,autre,2024-10-08", // a rejected sale
			"959,1001,,autre,2024-10-08"). // no quantity
		csv(t)).all(t)
	l.expectErrors(t, r, "ventes", orphan(4, "client_id", "clients"), orphan(5, "product_id", "produits"), orphan(7, "client_id", "clients"))
	l.expectErrors(t, r, "stocks", orphan(3, "product_id", "produits"))
	l.expectErrors(t, r, "paiements", orphan(3, "sale_id", "ventes"))
	rule := l.common.Contract.Resource("retours").ChildRules[0]
	tooMany := func(line int) string { return fmt.Sprintf("%d | quantity | %s | %s", line, rule.Name, rule.Message) }
	l.expectErrors(t, r, "retours", tooMany(3), tooMany(5), tooMany(8), orphan(9, "sale_id", "ventes"), "10 | quantity | required | "+validation.RequiredText("quantity"))
}

// TestInitialStandsAlone: an initial import replaces what was published, so that
// its records find their parents among its own alone.
func TestInitialStandsAlone(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.maxShrink = 100
	l.upload(t, etl.ModeInitial, "2024-10-07", day().csv(t)).all(t)
	r := l.upload(t, etl.ModeInitial, "2024-10-08", day().
		only("clients", "104,Inès,Roux,ines@exemple.fr,1000000004,,,,Lyon,FR,2024-02-02T03:04:05Z").
		only("ventes", "2001,103,1,1,1,12.50,12.50,2024-10-08,web", "2002,104,1,1,3,12.50,37.50,2024-10-08,web").
		only("paiements", "601,2002,8.00,carte,,2024-10-08T10:00:00Z").
		only("retours", "951,1003,5,autre,2024-10-08", "952,2002,4,autre,2024-10-08").csv(t)).through(t, "Open", "CrossCheck")
	l.expectErrors(t, r, "ventes", orphan(2, "client_id", "clients"))
	rule := l.common.Contract.Resource("retours").ChildRules[0]
	l.expectErrors(t, r, "retours", orphan(2, "sale_id", "ventes"), fmt.Sprintf("3 | quantity | %s | %s", rule.Name, rule.Message))
}

// TestEveryErrorIsLogged: one line of the central log for each row of the error
// table, whichever phase found it.
func TestEveryErrorIsLogged(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		with("clients", "0,,D'Arc9,nul,12,,,,Lyon,ZZ,hier", "101,Zoé,Lefèvre,zoe@exemple.fr,1000000009,,,,Lille,FR,2024-01-02T03:04:05Z", "a,b,c").
		with("ventes", "1010,999,1,1,2,12.50,25.01,2024-10-09,marché").csv(t)).through(t, "Open", "CrossCheck")
	logged := l.log.lines(t, phase.ValidationError)
	total := l.count(t, `SELECT count(*) FROM etl.errors WHERE import_id = $1`, r.imp.ImportID)
	if total < 12 || len(logged) != total {
		t.Errorf("%d errors, %d log lines", total, len(logged))
	}
	for _, line := range logged {
		if line.Level != "ERROR" || line.ImportID != r.imp.ImportID || line.Step != etl.StepValidation || line.Details == "" || line.Line == 0 ||
			line.File != "client_data_20241008.csv" && line.File != "sales_data_20241008.csv" {
			t.Errorf("a log line lacks something: %+v", line)
		}
	}
	// All reasons of one record, from both phases.
	var rules []string
	for _, e := range l.errors(t, r, "ventes") {
		rules = append(rules, strings.Split(e, " | ")[2])
	}
	slices.Sort(rules)
	if diff := cmp.Diff([]string{"amount_equals_product", "enum", "foreignKey", "sale_date_not_after_file"}, rules); diff != "" {
		t.Errorf("rules broken by the sale (-want +got)\n%s", diff)
	}
}

// TestRulesGoOn: a rule that fails leaves what the others found; the next run
// applies it and those that wait for it, and tells nothing twice.
func TestRulesGoOn(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		with("clients", "101,Zoé,Lefèvre,zoe@exemple.fr,1000000009,,,,Lille,FR,2024-01-02T03:04:05Z").
		with("ventes", "1010,999,1,1,1,12.50,12.50,2024-10-05,web").
		with("retours", "910,1010,1,erreur,2024-10-08").csv(t)).through(t, "Open", "IndexStaging")
	const leaf = "staging_ventes_20241009_150000_001_g1"
	rename := func(from, to string) {
		postgrestest.Exec(t, l.conn, `ALTER TABLE partitions.`+from+` RENAME TO `+to)
	}
	rename(leaf, "away")
	if _, err := l.crossCheck().Run(t.Context(), r.importIn()); err == nil {
		t.Fatal("the sales are away, and nothing failed")
	}
	l.expectErrors(t, r, "retours")
	rename("away", leaf)
	for range 2 {
		if _, err := l.crossCheck().Run(t.Context(), r.importIn()); err != nil {
			t.Fatal(err)
		}
		l.expectErrors(t, r, "clients", duplicate(5, 2, "primaryKey", "client_id"))
		l.expectErrors(t, r, "ventes", orphan(6, "client_id", "clients"))
		l.expectErrors(t, r, "retours", orphan(4, "sale_id", "ventes"))
	}
}
