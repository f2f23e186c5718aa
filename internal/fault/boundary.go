package fault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
)

// Lift returns the fault inside err as the outermost error, so that Step
// Functions sees its name. A [Stop] wins over a [Transient], because what no retry can
// fix must not be retried. An error without a fault becomes [Unexpected].
// Lift(nil) is nil.
func Lift(err error) error {
	if err == nil {
		return nil
	}
	if stop, ok := errors.AsType[Stop](err); ok {
		return stop
	}
	if transient, ok := errors.AsType[*Transient](err); ok {
		return transient
	}
	return &Unexpected{Err: err}
}

// Boundary wraps the handler of a function so that it returns lifted errors (see
// [Lift]). It logs the whole chain once, because lifting exchanges the text of the
// wrapping for the name. A panic becomes [Unexpected] without its value, which may
// hold data.
func Boundary[In, Out any](log *slog.Logger, handle func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = &Unexpected{Err: errors.New(Panicked)}
				log.ErrorContext(ctx, StepFailed, centrallog.Details(err.Error()))
			}
		}()
		out, err = handle(ctx, in)
		if err != nil {
			log.ErrorContext(ctx, StepFailed, centrallog.Details(err.Error()))
		}
		return out, Lift(err)
	}
}

// Name returns the error name that Step Functions sees: the Go type of a lifted fault.
func Name(err error) etl.Fault {
	name := fmt.Sprintf("%T", err)
	return etl.Fault(name[strings.LastIndexByte(name, '.')+1:])
}

// AdviceOf returns the advice for a lifted fault. A transient one can be redriven.
func AdviceOf(err error) Advice {
	if stop, ok := errors.AsType[Stop](err); ok {
		return stop.Advice()
	}
	return Redrive
}
