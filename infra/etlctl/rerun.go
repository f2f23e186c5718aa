package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"etl-dataloader/internal/control"
)

// rerunning is what the commands that re-execute have in common.
type rerunning struct {
	ImportID string        `arg:"" name:"import_id" help:"${import_id}"`
	NoFollow bool          `help:"${no_follow}"`
	Timeout  time.Duration `help:"${timeout}" default:"60m"`
}

// run asks the stack for a re-execution and follows the import.
func (r *rerunning) run(ctx context.Context, c *console, request control.Request) error {
	return r.runThen(ctx, c, request, func(ctx context.Context, f follower, work string) error {
		return c.followed(ctx, f, r.ImportID, r.Timeout, work, nil)
	})
}

// runThen asks the stack for a re-execution and follows what it asked for.
func (r *rerunning) runThen(ctx context.Context, c *console, request control.Request, follow func(ctx context.Context, f follower, work string) error) error {
	if r.ImportID == "" {
		return &usageError{textNoImportID}
	}
	ctx, cancel := within(ctx, r.Timeout)
	defer cancel()
	s, err := c.open(ctx, "REGISTRY_TABLE", "WORK_BUCKET", "CONTROL_API")
	if err != nil {
		return err
	}
	request.ImportID = r.ImportID
	f := follower{imports: s.registry, show: newDisplay(c), now: c.now, pause: c.pause}
	text, err := rerun(ctx, s.api, f, request)
	if refused, ok := errors.AsType[*refusedError](err); ok {
		_, _ = fmt.Fprintln(c.err, refused.Error())
		return toldError{}
	}
	if err != nil {
		return stopped(ctx, err, r.ImportID, r.Timeout)
	}
	c.say(text)
	if r.NoFollow {
		return nil
	}
	return follow(ctx, f, s.work)
}

// asker asks the stack; [api] implements it.
type asker interface {
	// ask sends a request to a route and reads the answer into out; see [api.ask].
	ask(ctx context.Context, route string, in, out any) error
}

// rerun asks for a re-execution and returns what became of it, in French. If that takes
// longer than the stack keeps the caller waiting, it waits for it.
func rerun(ctx context.Context, stack asker, f follower, request control.Request) (string, error) {
	var answer control.Answer
	err := stack.ask(ctx, "/rerun", request, &answer)
	if !errors.Is(err, errSlow) {
		return answer.Message, err
	}
	f.show.note(textSlow)
	return f.carriedOut(ctx, request.ImportID)
}

// carriedOut waits until no re-execution of an import is pending and returns the
// state of the import, in French.
func (f follower) carriedOut(ctx context.Context, importID string) (text string, err error) {
	defer f.show.stop()
	err = f.poll(ctx, func(*rhythm) (bool, error) {
		imp, err := f.imports.Import(ctx, importID)
		text = textImport(imp.ImportID, imp.Mode, imp.FileDate, imp.Status)
		return imp.Pending.Kind == "", err
	})
	return text, err
}
