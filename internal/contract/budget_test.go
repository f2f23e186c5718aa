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
		"no limit":                 {contract.NoBudget(), 10, 10, false},
		"no record":                {contract.Budget{MaxRejects: 0, MaxShare: 0}, 0, 0, false},
		"none allowed":             {contract.Budget{MaxRejects: 0, MaxShare: contract.Unlimited}, 10, 1, true},
		"at the number":            {contract.Budget{MaxRejects: 5, MaxShare: contract.Unlimited}, 5, 5, false},
		"past the number":          {contract.Budget{MaxRejects: 5, MaxShare: contract.Unlimited}, 1000, 6, true},
		"at the share":             {contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 50_000}, 1000, 50, false},
		"past the share by one":    {contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 50_000}, 1000, 51, true},
		"a third":                  {contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 333_333}, 3, 1, true},
		"both, one is passed":      {contract.Budget{MaxRejects: 100, MaxShare: 50_000}, 1000, 60, true},
		"default, a small file":    {contract.DefaultBudget(), 1000, 1000, false},
		"default, more than half":  {contract.DefaultBudget(), 2001, 1001, true},
		"default, half":            {contract.DefaultBudget(), 2002, 1001, false},
		"default, a third of many": {contract.DefaultBudget(), 3_000_000, 1_000_000, false},
		"a number beside a net":    {contract.Budget{MaxRejects: 5, MaxShare: 500_000, ShareFrom: 1000}, 100, 6, true},
		"a billion records":        {contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 1}, 1_000_000_000, 1001, true},
	} {
		if got := c.budget.Exceeded(c.read, c.rejected); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestHopeless: no file is given up that could still be within its budget, but for
// the default's half million rejects.
func TestHopeless(t *testing.T) {
	share := contract.Budget{MaxRejects: contract.Unlimited, MaxShare: 500_000}
	for name, c := range map[string]struct {
		budget                  contract.Budget
		records, read, rejected int64
		want                    bool
	}{
		"no limit":                              {contract.NoBudget(), 10, 5, 5, false},
		"all so far, the rest may be good":      {contract.DefaultBudget(), 10_000, 4000, 4000, false},
		"all so far, the rest cannot mend it":   {contract.DefaultBudget(), 10_000, 5001, 5001, true},
		"the first 300,000 of a million":        {contract.DefaultBudget(), 1_000_000, 300_000, 300_000, false},
		"half a million of many":                {contract.DefaultBudget(), 100_000_000, 600_000, 500_001, true},
		"half a million, few of those read":     {contract.DefaultBudget(), 100_000_000, 2_000_000, 500_001, false},
		"what was asked for is taken literally": {share, 100_000_000, 600_000, 600_000, false},
		"a number":                              {contract.Budget{MaxRejects: 5, MaxShare: contract.Unlimited}, 1000, 10, 6, true},
	} {
		if got := c.budget.Hopeless(c.records, c.read, c.rejected); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestBudgetOfTheDescriptor: none is the default, {} is no limit.
func TestBudgetOfTheDescriptor(t *testing.T) {
	for property, want := range map[string]contract.Budget{
		``:                   contract.DefaultBudget(),
		`, "etl:budget": {}`: contract.NoBudget(),
		`, "etl:budget": {"maxShare": 0.1, "shareFrom": 20}`: {MaxRejects: contract.Unlimited, MaxShare: 100_000, ShareFrom: 20},
	} {
		p := parse(t, strings.Replace(small(t), `"etl:load": "upsert"`, `"etl:load": "upsert"`+property, 1))
		if got := p.Resource("children").Budget; got != want {
			t.Errorf("%q: %+v", property, got)
		}
	}
}

// TestBudgets: the descriptor's budgets, and those that an operator sets instead.
func TestBudgets(t *testing.T) {
	p := parse(t, strings.Replace(small(t), `"etl:load": "upsert"`, `"etl:load": "upsert", "etl:budget": {"maxRejects": 7, "maxShare": 0.025}`, 1))
	none, unsaid := contract.NoBudget(), contract.DefaultBudget()
	own := contract.Budget{MaxRejects: 7, MaxShare: 25_000}
	number := func(n int64) contract.Budget { return contract.Budget{MaxRejects: n, MaxShare: contract.Unlimited} }
	share := func(n int64) contract.Budget { return contract.Budget{MaxRejects: contract.Unlimited, MaxShare: n} }
	for override, want := range map[string][2]contract.Budget{ // parents, children
		"":                             {unsaid, own},
		"parents=5%":                   {share(50_000), own},
		"children=none":                {unsaid, none},
		"children=0":                   {unsaid, number(0)},
		"*=100":                        {number(100), number(100)},
		"*=12.5%, children=1000":       {share(125_000), number(1000)},
		"*=none":                       {none, none},
		"children=1000,children=0.01%": {unsaid, {MaxRejects: 1000, MaxShare: 100}},
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
