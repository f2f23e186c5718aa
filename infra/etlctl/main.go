// Command etlctl is the operator's tool: it uploads the files of an import,
// follows imports to their end, resumes, restarts, abandons and enriches them, and shows
// their errors and, to whoever may read them, encrypted values.
//
// It works with the local stack and with an AWS account alike. Its settings are the
// environment variables that `make up` writes, or the outputs of a CloudFormation stack
// (--stack). Everything it shows comes from the registry, so it works even when
// PostgreSQL is down; only `errors` reads PostgreSQL, and `reveal` and `find` have it
// read by a function. The only thing it changes itself is
// the landing bucket: the functions of the stack start, resume and abandon imports.
//
// Exit status: 0 for success and, if an import was followed, «réussi»; 1 for a failure, a
// refusal, or the end of --timeout; 2 for arguments or settings that cannot work; 3 for a
// file that `contract check` finds faulty as a whole; 130 after Ctrl-C. Ending etlctl
// never stops an import.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // 128 + SIGINT, as shells report it
)

// grammar is the command line.
type grammar struct {
	Stack string `help:"${stack}" placeholder:"NOM" env:"ETL_STACK"`

	Import  importCommand  `cmd:"" help:"${import}"`
	Status  statusCommand  `cmd:"" help:"${status}"`
	Redrive redriveCommand `cmd:"" help:"${redrive}"`
	Restart restartCommand `cmd:"" help:"${restart}"`
	Abandon abandonCommand `cmd:"" help:"${abandon}"`
	Enrich  enrichCommand  `cmd:"" help:"${enrich}"`
	Errors  errorsCommand  `cmd:"" help:"${errors}"`
	Reveal  revealCommand  `cmd:"" help:"${reveal}"`
	Find    findCommand    `cmd:"" help:"${find}"`

	Contract contractCommand `cmd:"" help:"${contract}"`
}

// console is what every command needs: where it writes, its clock and settings.
type console struct {
	out, err io.Writer
	live     io.Writer // where progress bars are drawn; nil: out is not a terminal, and gets lines instead
	now      func() time.Time
	pause    func(ctx context.Context, d time.Duration) error
	settings settings
}

// harmless makes the console escape everything that a terminal would act upon, except
// line breaks: file names, texts in the registry and errors come from outside. One-line
// texts have their line breaks escaped where they are built. The function returned
// writes what is still held back.
func (c *console) harmless() func() {
	out, err := &harmlessWriter{out: c.out}, &harmlessWriter{out: c.err}
	c.out, c.err = out, err
	return func() { out.flush(); err.flush() }
}

// say writes one line of the result.
func (c *console) say(text string) { _, _ = fmt.Fprintln(c.out, text) }

// usageError means that arguments or settings cannot work.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// toldError ends a command whose outcome the operator has already read.
type toldError struct{}

func (toldError) Error() string { return "the outcome was shown" }

// stoppedError ends a command that had to stop following an import.
type stoppedError struct {
	importID string // empty: none yet
	text     string // replaces the usual text; empty: the usual text
}

func (e *stoppedError) Error() string { return "stopped following " + e.importID }

// Causes for which a command's context ends.
var (
	errInterrupted = errors.New("interrupted")
	errTimeout     = errors.New("timeout")
)

func main() {
	os.Exit(run(os.Args[1:], console{
		out: os.Stdout, err: os.Stderr, live: terminal(os.Stdout), now: time.Now, pause: pause,
		settings: settings{lookup: os.LookupEnv},
	}))
}

// terminal returns f if it is a terminal, else nil.
func terminal(f *os.File) io.Writer {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return f
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run runs one command line and returns the exit status.
func run(arguments []string, c console) int {
	defer c.harmless()()
	var g grammar
	shown, texts := false, textHelp()
	maps.Copy(texts, textCheckHelp())
	maps.Copy(texts, textRevealHelp())
	parser, err := kong.New(&g, kong.Name("etlctl"), kong.Description(texts["about"]),
		kong.Vars(texts), kong.Writers(c.out, c.err), kong.Help(help), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(int) { shown = true }))
	if err != nil {
		return c.fail(err)
	}
	if len(arguments) == 0 {
		arguments = []string{"--help"}
	}
	command, err := parser.Parse(arguments)
	if shown {
		return exitOK
	}
	if err != nil {
		return c.fail(&usageError{textBadArguments(err.Error()) + "\n" + textSeeHelp})
	}
	c.settings.stack = g.Stack
	ctx, stop := interruptible()
	defer stop()
	command.BindTo(ctx, (*context.Context)(nil))
	return c.fail(command.Run(&c))
}

// interruptible returns a context that Ctrl-C or SIGTERM ends with errInterrupted.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// within bounds the time of a command.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, errTimeout)
}

// fail reports an error to the operator and returns the matching exit status.
func (c *console) fail(err error) int {
	status, text := exitFailed, ""
	var usage *usageError
	var stopped *stoppedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		status, text = exitUsage, usage.text
	case errors.As(err, new(toldError)):
		return status
	case errors.As(err, new(faultyError)):
		return exitFaulty
	case errors.As(err, &stopped):
		text = stopped.text
		if errors.Is(err, errInterrupted) {
			status = exitInterrupted
		}
	default:
		text = textFailed(err)
	}
	_, _ = fmt.Fprintln(c.err, text)
	return status
}

// stopped returns the error for the end of ctx while an import was being followed, or
// err if ctx has not ended.
func stopped(ctx context.Context, err error, importID string, limit time.Duration) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errInterrupted):
		return errors.Join(cause, &stoppedError{importID: importID, text: textInterrupted(importID)})
	case errors.Is(cause, errTimeout):
		return &stoppedError{importID: importID, text: textTimeout(limit, importID)}
	default:
		return err
	}
}

// help prints the help page in French.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	out := ctx.Stdout
	var page bytes.Buffer
	ctx.Stdout = &page
	err := kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = out
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, textHelpWords(page.String()))
	return err
}
