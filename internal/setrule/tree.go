package setrule

import (
	"context"
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
)

// tree applies a relation of a resource to itself. Each record has at most one
// parent, so the records form trees, and cycles with trees below them.
//
// The work is done on scratch tables of line numbers, whatever the keys are. Rejects
// cascade down the trees in one recursive statement that visits each record once and
// finds its children by an index. Cycles are found by shrinking them: each statement
// eliminates about a quarter of the records, so all statements together read four times
// the records. Neither cost depends on how deep the trees are. The session needs a few
// times [treeMemory], and the rest goes to disk, however many records there are.
//
// The scratch tables are created and dropped within the rule's transaction, so that
// they never outlive a failure. The owner's functions make, index and drop them, as
// the loader's login owns no table. They are not temporary tables, for which that login
// would need a privilege.
type tree struct {
	*writer
	relation contract.Relation
	field    string

	links   string // node, parent, valid, shielded: the records that name a parent
	jumps   string // node, jump
	ahead   string // the same, of the next round
	starts  string // node: one of each cycle
	members string // node: all of each cycle
	below   string // node: the children of members that are not members themselves
}

// treeMemory is how much memory a sort may use before it spills to a temporary file. A
// hash table may use twice as much.
const treeMemory = "16MB"

// Settings that rule out plans whose work or memory would depend on the shape of the
// trees: to descend, children are found by an index alone; to compare all with all,
// both sides are sorted.
const (
	treeSettings = `SET LOCAL work_mem = '` + treeMemory + `'; SET LOCAL hash_mem_multiplier = 2; SET LOCAL jit = off`
	descending   = `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_material = off;
		SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_nestloop = on`
	merging = `SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on; SET LOCAL enable_material = on;
		SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = on; SET LOCAL enable_nestloop = off`
)

// links is the kind of the scratch table that is looked up by index.
const links postgres.Kind = "links"

// newTree names the scratch tables.
func newTree(w *writer, relation contract.Relation) *tree {
	t := &tree{writer: w, relation: relation, field: strings.Join(relation.Fields, ", ")}
	table := func(kind postgres.Kind) string { return w.table(kind, w.resource.Name) }
	t.links, t.jumps, t.ahead = table(links), table("jumps"), table("ahead")
	t.starts, t.members, t.below = table("starts"), table("members"), table("below")
	return t
}

// tree rejects the records without a valid parent, and all records below them, with
// rule foreignKey. If the relation must be acyclic, it then rejects the members of
// cycles with rule cycle, and the records below them with rule foreignKey.
func (w *writer) tree(ctx context.Context, relation contract.Relation) error {
	t := newTree(w, relation)
	if err := t.exec(ctx, treeSettings); err != nil {
		return err
	}
	err := t.call(ctx, `etl.create_scratch($1, $2, $3)`, t.resource.Name, t.scope.ImportID, t.scope.Generation)
	if err == nil {
		err = t.link(ctx)
	}
	if err == nil {
		err = t.fall(ctx, `SELECT node FROM `+t.links+` WHERE parent IS NULL AND NOT shielded`)
	}
	if err == nil && relation.Acyclic {
		err = t.cycles(ctx)
	}
	if err != nil {
		return err
	}
	return t.call(ctx, `etl.drop_scratch($1, $2, $3)`, t.resource.Name, t.scope.ImportID, t.scope.Generation)
}

func (t *tree) exec(ctx context.Context, sql string) error {
	_, err := t.tx.Execute(ctx, sql)
	return err
}

// call calls a function of the owner.
func (t *tree) call(ctx context.Context, function string, args ...any) error {
	_, err := t.tx.Execute(ctx, `SELECT `+function, args...)
	return err
}

// index indexes a column of links.
func (t *tree) index(ctx context.Context, column string) error {
	return t.call(ctx, `etl.index_leaf($1, $2, $3, $4, $5)`, links, t.resource.Name, t.scope.ImportID, t.scope.Generation, []string{column})
}

// link looks up the parent of each record that names one: a valid record of this file
// (parent), or else, if the table's rows are inserted or updated, a published row
// (shielded). Only valid records are parents, and at most one has a given key.
func (t *tree) link(ctx context.Context) error {
	child := t.resource.StagingKey(t.relation.Fields)
	key := t.resource.StagingKey(t.relation.ParentFields)
	leaf := t.leaf(t.resource.Name)
	shielded, published := "false", ""
	if t.published(t.resource) {
		target := t.resource.TargetKey(t.relation.ParentFields)
		shielded = "f." + target[0] + " IS NOT NULL"
		published = fmt.Sprintf("LEFT JOIN final.%s f ON %s", postgres.Quote(t.resource.Name), pairs("f", target, "c", child))
	}
	if err := t.exec(ctx, fmt.Sprintf(`
		INSERT INTO %[1]s SELECT c.line_number, p.line_number, r.line_number IS NULL, %[2]s
		FROM %[3]s c LEFT JOIN etl.rejects r ON %[4]s
		LEFT JOIN (SELECT p.* FROM %[3]s p LEFT JOIN etl.rejects r ON %[5]s WHERE r.line_number IS NULL) p ON %[6]s
		%[7]s WHERE %[8]s`,
		t.links, shielded, leaf, t.rejectOf(t.resource.Name, "c"), t.rejectOf(t.resource.Name, "p"), pairs("p", key, "c", child),
		published, notNull("c.", strings.Join(child, ", ")))); err != nil {
		return err
	}
	if err := t.index(ctx, "parent"); err != nil {
		return err
	}
	return t.call(ctx, `etl.analyze_leaf($1, $2, $3, $4, $5)`, links, t.resource.Name, t.scope.ImportID, t.scope.Generation, []string{})
}

// fall rejects the records that a query of nodes yields, and all records below them
// except those shielded by a published parent. None of the nodes may be below another
// or on a cycle, so that each record is visited once.
func (t *tree) fall(ctx context.Context, from string) error {
	if err := t.exec(ctx, descending); err != nil {
		return err
	}
	return t.reject(ctx, t.field, contract.RuleForeignKey, UnknownParentText(t.relation.Fields, t.relation.Resource), fmt.Sprintf(`
		WITH RECURSIVE fallen AS (%s
			UNION ALL SELECT l.node FROM fallen f JOIN %s l ON l.parent = f.node WHERE NOT l.shielded)
		SELECT node AS line_number, NULL::bigint AS first_line FROM fallen`, from, t.links))
}

// cycles rejects the members of cycles with rule cycle, and the records below them
// with rule foreignKey.
func (t *tree) cycles(ctx context.Context) error {
	found, err := t.shrink(ctx)
	if err != nil || !found {
		return err
	}
	// From each start, follow the parents until they lead back to it.
	if err := t.index(ctx, "node"); err != nil {
		return err
	}
	if err := t.exec(ctx, fmt.Sprintf(`%s; INSERT INTO %[3]s WITH RECURSIVE member AS (SELECT node AS start, node FROM %[4]s
			UNION ALL SELECT m.start, l.parent FROM member m JOIN %[2]s l ON l.node = m.node WHERE l.parent <> m.start)
		SELECT node FROM member`, descending, t.links, t.members, t.starts)); err != nil {
		return err
	}
	if err := t.reject(ctx, t.field, contract.RuleCycle, CycleText(t.relation.Fields),
		`SELECT node AS line_number, NULL::bigint AS first_line FROM `+t.members); err != nil {
		return err
	}
	if err := t.exec(ctx, fmt.Sprintf(`%s; INSERT INTO %[2]s SELECT l.node FROM %[3]s l JOIN %[4]s m ON m.node = l.parent
		WHERE NOT l.shielded AND NOT EXISTS (SELECT FROM %[4]s o WHERE o.node = l.node)`, merging, t.below, t.links, t.members)); err != nil {
		return err
	}
	return t.fall(ctx, `SELECT node FROM `+t.below)
}

// shrink fills starts, and reports whether there are any.
//
// It begins with all nodes and their jumps, which lead to the parents, and removes
// nodes until none is left. In each round every node tosses a coin. A node with heads
// whose jump leads to one with tails is removed, and jumps to it are redirected to
// where its own jump leads. So a cycle stays a cycle, with fewer nodes, until the jump
// of its last node leads to itself: that node is a start. A node whose jump leads to no
// remaining node is on no cycle. The coins are bits of a hash, so the same file always
// takes the same rounds. They affect only the number of rounds, about log(n)/log(4/3).
func (t *tree) shrink(ctx context.Context) (found bool, err error) {
	if err := t.exec(ctx, fmt.Sprintf(`%s; INSERT INTO %s SELECT node, parent FROM %s WHERE valid AND parent IS NOT NULL`, merging, t.jumps, t.links)); err != nil {
		return false, err
	}
	for round := 1; ; round++ {
		started, err := t.tx.Execute(ctx, fmt.Sprintf(`INSERT INTO %s SELECT node FROM %s WHERE node = jump`, t.starts, t.jumps))
		if err != nil {
			return false, err
		}
		found = found || started > 0
		left, err := t.tx.Execute(ctx, fmt.Sprintf(`WITH tossed AS NOT MATERIALIZED (
				SELECT node, jump, hashint8extended(node, %[3]d) > 0 AND hashint8extended(jump, %[3]d) <= 0 AS out FROM %[1]s WHERE node <> jump)
			INSERT INTO %[2]s SELECT a.node, CASE WHEN b.out THEN b.jump ELSE a.jump END
			FROM tossed a JOIN tossed b ON b.node = a.jump WHERE NOT a.out`, t.jumps, t.ahead, round))
		if err != nil || left == 0 {
			return found, err
		}
		if err := t.exec(ctx, `TRUNCATE `+t.jumps); err != nil {
			return false, err
		}
		t.jumps, t.ahead = t.ahead, t.jumps
	}
}
