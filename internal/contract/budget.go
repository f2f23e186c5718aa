package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Unlimited is a limit of a [Budget] that is none.
const Unlimited = -1

// WholeShare is the share of all records, in the unit of [Budget.MaxShare].
const WholeShare = 1_000_000

// Budget is how many records of one file may be rejected before the import
// stops at validation. [NoBudget] sets no limit; a limit of 0 allows no reject.
type Budget struct {
	MaxRejects int64 // records; [Unlimited] is no limit
	MaxShare   int64 // millionths of the records read; [Unlimited] is no limit
}

// NoBudget allows any number of rejects.
func NoBudget() Budget { return Budget{Unlimited, Unlimited} }

// Exceeded reports whether so many rejects of so many records are too many.
func (b Budget) Exceeded(read, rejected int64) bool {
	if b.MaxRejects != Unlimited && rejected > b.MaxRejects {
		return true
	}
	// A file has far fewer than the 9·10^12 records at which this would overflow.
	return b.MaxShare != Unlimited && rejected*WholeShare > b.MaxShare*read
}

// Budgets returns the budget of each resource by name: the descriptor's, or what
// override says instead. override is a list like "clients=5%,ventes=1000,*=20%":
// a number is records, a percentage a share of the file's records, "none" is no
// limit; two entries of one name are both limits, and * stands for the resources
// that are not named. It fails if the list has another form or names an unknown
// resource.
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
	d, ok := ParseDecimal(text)
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

// budget reads etl:budget.
func (c *resourceCompiler) budget() error {
	const property = "etl:budget"
	c.r.Budget = NoBudget()
	var d struct {
		MaxRejects *int64      `json:"maxRejects"`
		MaxShare   json.Number `json:"maxShare"`
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
	return nil
}
