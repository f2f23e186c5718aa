package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/internal/fault"
)

// Classify wraps err with op and turns it into a fault of the machine. Nothing else
// does so. The result is a [fault.AccessDenied] if the role lacks a right or its
// login is refused. It is a [fault.Transient] if a retry can help: the connection was
// lost or refused, the server is starting, stopping or full, a lock or a statement
// timed out, or a deadlock was broken. Faults of the machine that are already in the
// chain stay as they are. Classify(op, nil) is nil.
func Classify(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[fault.Stop](err); ok {
		return fmt.Errorf("%s: %w", op, err)
	}
	if denied := denial(op, err); denied != nil {
		return denied
	}
	if transient(err) {
		return &fault.Transient{Op: op, Err: withoutValues(err)}
	}
	return fmt.Errorf("%s: %w", op, withoutValues(err))
}

// denial returns err as *[fault.AccessDenied], or nil if it is something else.
func denial(op string, err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || !deniedState(server.Code) {
		return nil
	}
	cause := withoutValues(err)
	denied := &fault.AccessDenied{Op: op, Action: postgresAccess, Detail: cause.Error(), Err: cause}
	if strings.HasPrefix(server.Code, invalidAuthorization) {
		denied.Action = postgresLogin
	}
	if _, object, ok := strings.Cut(server.Message, "permission denied for "); ok {
		denied.Resource = object
	} else if _, object, ok := strings.Cut(server.Message, "must be owner of "); ok {
		denied.Resource = object
	}
	return denied
}

// invalidAuthorization is the class of SQLSTATEs of a refused login.
const invalidAuthorization = "28"

// deniedState reports whether a SQLSTATE means that a right is missing:
// insufficient_privilege, or any refusal of a login.
func deniedState(code string) bool {
	return code == "42501" || strings.HasPrefix(code, invalidAuthorization)
}

func transient(err error) bool {
	if t, ok := errors.AsType[*fault.Transient](err); ok && t != nil {
		return true
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return transientState(server.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded)
}

// transientState reports whether the condition of a SQLSTATE may go away by itself
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func transientState(code string) bool {
	switch code {
	case "40001", // serialization_failure
		"40P01", // deadlock_detected
		"55P03", // lock_not_available
		"57014": // query_canceled: statement_timeout
		return true
	}
	for _, class := range []string{
		"08",   // connection exception
		"53",   // insufficient resources; 53300 is too_many_connections
		"57P0", // admin_shutdown, crash_shutdown, cannot_connect_now
		"58",   // system error
		"25P0", // idle_in_transaction_session_timeout
	} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// withoutValues drops the parts of a server error that quote data: its detail
// ("Key (client_id)=(…)") and the context of a COPY contain values.
func withoutValues(err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	where := server.TableName
	if server.ColumnName != "" {
		where += "." + server.ColumnName
	}
	if server.ConstraintName != "" {
		where += " " + server.ConstraintName
	}
	return &ServerError{Code: server.Code, Where: strings.TrimSpace(where), Condition: condition(server)}
}

// ServerError is an error of the server, without any value from the data.
type ServerError struct {
	Code      string // SQLSTATE
	Where     string // table, column and constraint, if the server named them
	Condition string // the server's message where it cannot quote data, else empty
}

// Error implements error.
func (e *ServerError) Error() string {
	text := "SQLSTATE " + e.Code
	if e.Condition != "" {
		text += ": " + e.Condition
	}
	if e.Where != "" {
		text += " (" + e.Where + ")"
	}
	return text
}

// condition returns the primary message, or "" in class 22 (data exception), whose
// messages quote the offending value.
func condition(server *pgconn.PgError) string {
	if strings.HasPrefix(server.Code, "22") {
		return ""
	}
	return server.Message
}
