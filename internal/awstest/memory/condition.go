package memory

import (
	"fmt"
	"reflect"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tokens of a condition expression.
var tokens = regexp.MustCompile(`\(|\)|=|:?[A-Za-z_]+`) //nolint:gochecknoglobals // constant

// condition reads a condition expression (Amazon DynamoDB Developer Guide,
// "Condition expressions") of comparisons with =, attribute_not_exists, AND, OR
// and parentheses. AND binds more strongly than OR.
type condition struct {
	left   []string // tokens
	item   Item
	values Item
	err    error
}

// holds reports whether a condition holds for an item, which is nil if there is
// none. The empty condition holds.
func holds(expression string, item, values Item) (bool, error) {
	if expression == "" {
		return true, nil
	}
	c := condition{left: tokens.FindAllString(expression, -1), item: item, values: values}
	holds := c.or()
	if c.err == nil && len(c.left) > 0 {
		c.fail(c.left[0])
	}
	if c.err != nil {
		return false, fmt.Errorf("memory: the condition %q: %w", expression, c.err)
	}
	return holds, nil
}

func (c *condition) fail(token string) {
	if c.err == nil {
		c.err = fmt.Errorf("unexpected %q", token)
	}
}

// next takes the next token; empty at the end.
func (c *condition) next() string {
	if len(c.left) == 0 {
		return ""
	}
	token := c.left[0]
	c.left = c.left[1:]
	return token
}

// follows takes the next token if it is this one.
func (c *condition) follows(token string) bool {
	if len(c.left) == 0 || c.left[0] != token {
		return false
	}
	c.left = c.left[1:]
	return true
}

func (c *condition) want(token string) {
	if !c.follows(token) {
		c.fail(c.next())
	}
}

func (c *condition) or() bool {
	holds := c.and()
	for c.follows("OR") {
		right := c.and()
		holds = holds || right
	}
	return holds
}

func (c *condition) and() bool {
	holds := c.term()
	for c.follows("AND") {
		right := c.term()
		holds = holds && right
	}
	return holds
}

func (c *condition) term() bool {
	switch token := c.next(); token {
	case "(":
		holds := c.or()
		c.want(")")
		return holds
	case "attribute_not_exists":
		c.want("(")
		_, exists := c.item[c.next()]
		c.want(")")
		return !exists
	case "", ")", "=", "AND", "OR":
		c.fail(token)
		return false
	default:
		c.want("=")
		return equal(c.item[token], c.value())
	}
}

// value takes the name of a value and returns the value.
func (c *condition) value() types.AttributeValue {
	name := c.next()
	v, ok := c.values[name]
	if !ok {
		c.fail(name)
	}
	return v
}

// equal reports whether two values are of the same type and equal; an attribute
// that is missing equals nothing.
func equal(a, b types.AttributeValue) bool {
	return a != nil && b != nil && reflect.DeepEqual(a, b)
}
