package phase_test

import (
	"fmt"
	"testing"

	"etl-dataloader/internal/etl"
)

// TestReturnsTogether: the returns of a sale are not more than it sold, in order
// of line, with those of earlier days.
func TestReturnsTogether(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	rule := l.common.Contract.Resource("retours").ChildRules[0]
	tooMany := func(line int) string { return fmt.Sprintf("%d | quantity | %s | %s", line, rule.Name, rule.Message) }
	first := l.upload(t, etl.ModeInitial, "2024-10-07", day(). // 1001 sold 2, 1002 one, 1003 five, 1004 one
									only("retours", // from line 2 on
			"901,1001,1,defaut,2024-10-07", "902,1003,2,autre,2024-10-07",
			"903,1001,2,defaut,2024-10-07", // more than is left
			"904,1001,1,defaut,2024-10-07", // what is left, as the one before counts for nothing
			"905,1001,1,defaut,2024-10-07",
			"906,1002,1,panne,2024-10-07", "907,1002,1,defaut,2024-10-07", // nor does one that is rejected for something else
			"907,1002,1,defaut,2024-10-07", // nor a duplicate
			"908,1003,1,autre,2024-10-07").csv(t)).all(t)
	l.expectErrors(t, first, "retours", tooMany(4), tooMany(6),
		"7 | reason | enum | Le champ 'reason' n'est pas une des valeurs admises : defaut, erreur, retractation, autre.",
		duplicate(9, 8, "primaryKey", "return_id"))

	second := l.upload(t, etl.ModeDaily, "2024-10-08", day(). // 1003 has three published
									only("ventes", "1004,101,1,2,3,12.50,37.50,2024-10-08,web").
									only("paiements").
									only("retours", // from line 2 on
			"920,1003,3,autre,2024-10-08",                                // two are left
			"902,1003,4,autre,2024-10-08",                                // yesterday's two become four, with 908 all five
			"921,1003,1,autre,2024-10-08",                                // none is left
			"908,1003,2,autre,2024-10-08",                                // nor for this one to grow
			"922,1001,1,autre,2024-10-08",                                // both came back yesterday
			"923,1004,3,autre,2024-10-08", "924,1004,1,autre,2024-10-08", // as many as were sold today
			"901,1001,1,erreur,2024-10-08").csv(t)).all(t) // the same quantity, for another reason
	l.expectErrors(t, second, "retours", tooMany(2), tooMany(4), tooMany(5), tooMany(6), tooMany(8))
	if over := l.count(t, `SELECT count(*) FROM (SELECT FROM final.retours r JOIN final.ventes v USING (sale_id) GROUP BY sale_id, v.quantity HAVING sum(r.quantity) > v.quantity) s`); over != 0 {
		t.Errorf("%d sales are returned more than once", over)
	}
}

// TestSumOfMany: a hundred thousand returns of one sale are walked once.
func TestSumOfMany(t *testing.T) {
	t.Parallel()
	const many, sold = 100_000, 60_000
	l := newLine(t)
	sets := day().
		with("ventes", fmt.Sprintf("5000,101,1,1,%d,0,0,2024-10-08,web", sold)).
		only("retours")
	for i := range many {
		sets["retours"] = append(sets["retours"], fmt.Sprintf("%d,5000,1,autre,2024-10-08", 100_000+i))
	}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", sets.csv(t)).through(t, "Open", "CrossCheck")
	if got := l.count(t, `SELECT count(*) FROM etl.rejects WHERE import_id = $1 AND resource = 'retours' AND line_number > $2 + 1`, r.imp.ImportID, sold); got != many-sold {
		t.Errorf("%d returns beyond what was sold are rejected, want %d", got, many-sold)
	}
	if got := l.count(t, `SELECT count(*) FROM etl.rejects WHERE import_id = $1 AND resource = 'retours'`, r.imp.ImportID); got != many-sold {
		t.Errorf("%d returns are rejected, want %d", got, many-sold)
	}
}
