package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
)

func TestExceeded(t *testing.T) {
	for name, c := range map[string]struct {
		budget         contract.Budget
		read, rejected int64
		want           bool
	}{
		"no limit":              {contract.NoBudget(), 10, 10, false},
		"no record":             {contract.Budget{MaxRejects: 0, MaxShare: 0}, 0, 0, false},
		"none allowed":          {contract.Budget{MaxRejects: 0, MaxShare: contract.Unlimited}, 10, 1, true},
		"at the number":         {contract.Budget{MaxRejects: 5, MaxShare: contract.Unlimited}, 5, 5, false},
		"past the number":       {contract.Budget{MaxRejects: 5, MaxShare: contract.Unlimited}, 1000, 6, true},
		"at the share":          {contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 50_000}, 1000, 50, false},
		"past the share by one": {contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 50_000}, 1000, 51, true},
		"a third":               {contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 333_333}, 3, 1, true},
		"both, one is passed":   {contract.Budget{MaxRejects: 100, MaxShare: 50_000}, 1000, 60, true},
		"a billion records":     {contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 1}, 1_000_000_000, 1001, true},
	} {
		if got := c.budget.Exceeded(c.read, c.rejected); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestBudgets: the descriptor's, and what an operator says instead.
func TestBudgets(t *testing.T) {
	p := parse(t, strings.Replace(small(t), `"etl:load": "upsert"`, `"etl:load": "upsert", "etl:budget": {"maxRejects": 7, "maxShare": 0.025}`, 1))
	none := contract.NoBudget()
	own := contract.Budget{MaxRejects: 7, MaxShare: 25_000}
	number := func(n int64) contract.Budget { return contract.Budget{MaxRejects: n, MaxShare: contract.Unlimited} }
	share := func(n int64) contract.Budget { return contract.Budget{MaxRejects: contract.Unlimited, MaxShare: n} }
	for override, want := range map[string][2]contract.Budget{ // parents, children
		"":                             {none, own},
		"parents=5%":                   {share(50_000), own},
		"children=none":                {none, none},
		"children=0":                   {none, number(0)},
		"*=100":                        {number(100), number(100)},
		"*=12.5%, children=1000":       {share(125_000), number(1000)},
		"children=1000,children=0.01%": {none, {MaxRejects: 1000, MaxShare: 100}},
		" , parents = 5% ,":            {},
		"parents=100%,":                {share(contract.WholeShare), own},
	} {
		got, err := p.Budgets(override)
		if want == [2]contract.Budget{} {
			if err == nil {
				t.Errorf("%q is accepted", override)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", override, err)
			continue
		}
		if diff := cmp.Diff(map[string]contract.Budget{"parents": want[0], "children": want[1]}, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", override, diff)
		}
	}
	for _, bad := range []string{"parents", "parents=", "parents=-1", "parents=1.5", "parents=101%", "parents=%", "parents=0.00001%", "nobody=1", "=1", "parents=5 %x"} {
		if _, err := p.Budgets(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
