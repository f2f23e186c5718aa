package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"etl-dataloader/internal/message"
	"etl-dataloader/internal/reveal"
)

// revealCommand shows encrypted values to whoever may read them.
type revealCommand struct {
	What    []string      `arg:"" optional:"" name:"table" help:"${reveal_table}"`
	Where   string        `help:"${reveal_where}" placeholder:"CHAMP=VALEUR"`
	Fields  []string      `help:"${reveal_fields}" placeholder:"CHAMP"`
	Event   string        `help:"${reveal_event}" placeholder:"EVENT_ID"`
	Raw     bool          `help:"${reveal_raw}"`
	Reason  string        `help:"${reveal_reason}" required:"" placeholder:"MOTIF"`
	JSON    bool          `name:"json" help:"${reveal_json}"`
	Timeout time.Duration `help:"${timeout}" default:"1m"`
}

// Run runs the command.
func (r *revealCommand) Run(ctx context.Context, c *console) error {
	request, err := r.request()
	if err != nil {
		return err
	}
	ctx, cancel := within(ctx, r.Timeout)
	defer cancel()
	s, err := c.open(ctx, "CONTROL_API")
	if err != nil {
		return err
	}
	var answer reveal.Answer
	if err := c.ask(ctx, s.api, "/reveal", request, &answer); err != nil {
		return err
	}
	if r.JSON {
		return writeJSON(c, answer)
	}
	c.showValues(answer)
	return nil
}

// request returns what the arguments ask for.
func (r *revealCommand) request() (reveal.Request, error) {
	request := reveal.Request{Event: r.Event, Fields: r.Fields, Reason: r.Reason}
	switch {
	case r.Raw && len(r.What) == 3 && r.Where == "":
		line, err := strconv.ParseInt(r.What[2], 10, 64)
		if err != nil {
			return request, &usageError{textBadLine(r.What[2])}
		}
		request.Raw = &reveal.Line{ImportID: r.What[0], File: r.What[1], Line: line}
	case r.Raw:
		return request, &usageError{textBadRaw}
	case r.Event != "" && len(r.What) == 0 && r.Where == "":
	case r.Event == "" && len(r.What) == 1:
		field, value, ok := strings.Cut(r.Where, "=")
		if !ok {
			return request, &usageError{textBadWhere}
		}
		request.Table, request.Where = r.What[0], &reveal.Condition{Field: field, Value: value}
	default:
		return request, &usageError{textBadReveal}
	}
	return request, nil
}

// ask asks the stack, and tells a refusal.
func (c *console) ask(ctx context.Context, stack asker, route string, in, out any) error {
	err := stack.ask(ctx, route, in, out)
	if errors.Is(err, errSlow) {
		err = &refusedError{Name: "Transient", Text: textTooSlow}
	}
	if refused, ok := errors.AsType[*refusedError](err); ok {
		_, _ = fmt.Fprintln(c.err, refused.Error())
		return toldError{}
	}
	return err
}

// showValues writes the values of the records found. What a terminal would act upon is
// escaped; the JSON has the exact values.
func (c *console) showValues(answer reveal.Answer) {
	for _, r := range answer.Records {
		c.say(textRecord(r.Resource, r.ImportID, r.Line))
		width := 0
		for _, v := range r.Values {
			width = max(width, len(v.Field))
		}
		for _, v := range r.Values {
			text := textNone
			if v.Text != nil {
				text = message.Visible(*v.Text)
			}
			c.say(fmt.Sprintf("  %-*s  %s", width, v.Field, text))
		}
		switch {
		case r.RawBytes != nil:
			c.say("  base64: " + base64.StdEncoding.EncodeToString(r.RawBytes))
		case r.Raw != "":
			c.say("  " + message.Visible(r.Raw))
		}
	}
	c.say(textRevealed(len(answer.Records), answer.RequestID))
}

// findCommand says where a person's data is.
type findCommand struct {
	Field   string        `arg:"" name:"champ" help:"${find_field}"`
	Value   string        `arg:"" name:"valeur" help:"${find_value}"`
	Reason  string        `help:"${find_reason}" placeholder:"MOTIF"`
	JSON    bool          `name:"json" help:"${reveal_json}"`
	Timeout time.Duration `help:"${timeout}" default:"1m"`
}

// Run runs the command.
func (f *findCommand) Run(ctx context.Context, c *console) error {
	ctx, cancel := within(ctx, f.Timeout)
	defer cancel()
	s, err := c.open(ctx, "CONTROL_API")
	if err != nil {
		return err
	}
	var found reveal.Found
	request := reveal.FindRequest{Condition: reveal.Condition{Field: f.Field, Value: f.Value}, Reason: f.Reason}
	if err := c.ask(ctx, s.api, "/find", request, &found); err != nil {
		return err
	}
	if f.JSON {
		return writeJSON(c, found)
	}
	c.showPlaces(found)
	return nil
}

// showPlaces writes where a value is.
func (c *console) showPlaces(found reveal.Found) {
	t := table{columns: textColumnsPlaces, right: "  nnnnn"}
	for _, p := range found.Places {
		t.add(p.Resource, p.Field, message.Count(p.Rows), message.Count(p.Events), message.Count(p.Staged), message.Count(p.Rejects), message.Count(p.Errors))
	}
	t.write(c.out)
	files := table{columns: textColumnsVersions}
	for _, p := range found.Places {
		for _, v := range p.Files {
			files.add(p.Resource, v.Key, v.VersionID)
		}
	}
	if len(files.rows) > 0 {
		title(c.out, textTitleVersions)
		files.write(c.out)
	}
	c.say(textFound(found.RequestID))
}
