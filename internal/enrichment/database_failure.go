package enrichment

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// databaseFailure classifies an error of the driver. It drops the text of err: that of a
// server may quote keys and values, and that of a connection the login.
func databaseFailure(err error) *Failure {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return &Failure{Code: stateCode(server.Code), Reason: "SQLSTATE " + stateText(server.Code)}
	}
	if _, ok := errors.AsType[*pgproto3.ExceededMaxBodyLenErr](err); ok {
		return &Failure{Code: CodeInvalidAnswer, Reason: "a part of the answer is too long"}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &Failure{Code: CodeUnreachable, Reason: "the server's certificate is not valid for it"}
	}
	return transportFailure(err)
}

// stateCode returns the cause that a SQLSTATE stands for
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func stateCode(state string) Code {
	switch state {
	case "57014", // query_canceled: statement_timeout
		"55P03": // lock_not_available: lock_timeout
		return CodeTimeout
	case "53300", // too_many_connections
		"53400": // configuration_limit_exceeded
		return CodeThrottled
	case "42501", // insufficient_privilege
		"3D000": // invalid_catalog_name: the secret names a database that is not there
		return CodeUnauthorized
	}
	for _, class := range []struct {
		prefix string
		code   Code
	}{
		{"08", CodeUnreachable},  // connection exception
		{"57P", CodeUnreachable}, // the server shuts down, starts, or has ended the session
		{"25P", CodeUnreachable}, // a time limit of the session
		{"28", CodeUnauthorized}, // invalid authorization
		{"0A", CodeRefused},      // feature not supported
		{"21", CodeRefused},      // cardinality violation
		{"22", CodeRefused},      // data exception
		{"25", CodeRefused},      // invalid transaction state: the query would write
		{"3F", CodeRefused},      // invalid schema name
		{"42", CodeRefused},      // syntax error, or no such table, column or function
	} {
		if strings.HasPrefix(state, class.prefix) {
			return class.code
		}
	}
	return CodeServerError
}

// stateText returns a SQLSTATE, if it is one.
func stateText(state string) string {
	if len(state) != 5 || strings.ContainsFunc(state, func(c rune) bool { return (c < '0' || c > '9') && (c < 'A' || c > 'Z') }) {
		return "that is none"
	}
	return state
}
