package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Unlimited stands for no limit in a [Budget].
const Unlimited = -1

// WholeShare is a share of 100%, in the unit of [Budget.MaxShare].
const WholeShare = 1_000_000

// Budget limits how many records of one file may be rejected before the import
// stops at validation. [NoBudget] sets no limit; a limit of 0 allows no reject.
type Budget struct {
	MaxRejects int64 // records; [Unlimited] is no limit
	MaxShare   int64 // millionths of the records read; [Unlimited] is no limit
	// ShareFrom is how many records may be rejected whatever their share; with 0, the
	// default, MaxShare applies from the first. MaxRejects always applies.
	ShareFrom int64
}

// NoBudget allows any number of rejects.
func NoBudget() Budget { return Budget{MaxRejects: Unlimited, MaxShare: Unlimited} }

// DefaultBudget is the budget of a file whose descriptor sets none. It stops a file
// of which more than half and more than 1,000 records are rejected, as one that is
// wrong as a whole.
func DefaultBudget() Budget {
	return Budget{MaxRejects: Unlimited, MaxShare: WholeShare / 2, ShareFrom: 1000}
}

// Exceeded reports whether that many rejects among the records read are too many.
func (b Budget) Exceeded(read, rejected int64) bool {
	if b.MaxRejects != Unlimited && rejected > b.MaxRejects {
		return true
	}
	// A file has far fewer than the 9·10^12 records at which this would overflow.
	return b.MaxShare != Unlimited && rejected > b.ShareFrom && rejected*WholeShare > b.MaxShare*read
}

// plenty is how many rejects of a file are enough to judge it: the ten-thousandth
// error of a kind is no more helpful than the first.
const plenty = 500_000

// Hopeless reports whether a file with that many records need not be read further,
// given the rejects among those read so far: the budget is exceeded whatever the
// rest holds. A budget with ShareFrom, such as [DefaultBudget], is a safety net for
// files that are wrong as a whole and does not wait for half of a large one: beyond
// half a million rejects, the share among the records read so far counts.
func (b Budget) Hopeless(records, read, rejected int64) bool {
	return b.Exceeded(records, rejected) || b.ShareFrom > 0 && rejected > plenty && b.Exceeded(read, rejected)
}

// Budgets returns the budget of each resource by name: the one in override, else the
// descriptor's, else the default. override is a list like
// "clients=5%,ventes=1000,*=20%": a number is a number of records, a percentage a
// share of the file's records, "none" no limit. Two entries of one name are both
// limits, and * stands for the resources that are not named. Budgets fails if the
// list has another form or names an unknown resource.
func (p *Package) Budgets(override string) (map[string]Budget, error) {
	const others = "*"
	named := map[string]Budget{}
	for entry := range strings.SplitSeq(override, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, limit, found := strings.Cut(entry, "=")
		if !found {
			return nil, fmt.Errorf("contract: reject budget %q has not the form name=limit", entry)
		}
		if name != others && p.Resource(name) == nil {
			return nil, fmt.Errorf("contract: reject budget %q: there is no resource %q", entry, name)
		}
		budget, again := named[name]
		if !again {
			budget = NoBudget()
		}
		if err := budget.limit(limit); err != nil {
			return nil, fmt.Errorf("contract: reject budget %q: %w", entry, err)
		}
		named[name] = budget
	}
	budgets := make(map[string]Budget, len(p.Resources))
	for _, r := range p.Resources {
		budget, found := named[r.Name]
		if !found {
			budget, found = named[others]
		}
		if !found {
			budget = r.Budget
		}
		budgets[r.Name] = budget
	}
	return budgets, nil
}

// limit adds one limit: "1000", "5%" or "none".
func (b *Budget) limit(text string) error {
	if text == "none" {
		return nil
	}
	if percent, found := strings.CutSuffix(text, "%"); found {
		share, ok := millionths([]byte(percent), 100)
		if !ok {
			return errors.New("a share is 0% to 100%, with at most 4 decimals")
		}
		b.MaxShare = share
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return errors.New("a limit is a number of records, a percentage or none")
	}
	b.MaxRejects = n
	return nil
}

// millionths reads a decimal from 0 to whole, which is 1 or 100, as millionths
// of whole, exactly.
func millionths(text []byte, whole int64) (int64, bool) {
	d, ok := parseDecimal(text)
	if !ok || d.Negative {
		return 0, false
	}
	share := new(apd.Decimal)
	if _, err := exact().Mul(share, &d, apd.New(WholeShare/whole, 0)); err != nil {
		return 0, false
	}
	v, err := share.Int64() // only of a whole number
	return v, err == nil && v <= WholeShare
}

// budget reads etl:budget. Without it a resource has [DefaultBudget]; with it, only
// the limits that it names, so {} sets none.
func (c *resourceCompiler) budget() error {
	const property = "etl:budget"
	if c.d.Budget == nil {
		c.r.Budget = DefaultBudget()
		return nil
	}
	c.r.Budget = NoBudget()
	var d struct {
		MaxRejects *int64      `json:"maxRejects"`
		MaxShare   json.Number `json:"maxShare"`
		ShareFrom  int64       `json:"shareFrom"`
	}
	if err := strict(c.d.Budget, &d); err != nil {
		return c.fail("", property, "%v", err)
	}
	if d.MaxRejects != nil {
		if *d.MaxRejects < 0 {
			return c.fail("", property, "maxRejects must not be negative")
		}
		c.r.Budget.MaxRejects = *d.MaxRejects
	}
	if d.MaxShare != "" {
		share, ok := millionths([]byte(d.MaxShare), 1)
		if !ok {
			return c.fail("", property, "maxShare must be from 0 to 1, with at most 6 decimals")
		}
		c.r.Budget.MaxShare = share
	}
	if d.ShareFrom < 0 || d.ShareFrom > 0 && d.MaxShare == "" {
		return c.fail("", property, "shareFrom must not be negative, and goes with maxShare")
	}
	c.r.Budget.ShareFrom = d.ShareFrom
	return nil
}
