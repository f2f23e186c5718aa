package fault

import "etl-dataloader/internal/message"

// AccessDenied reports that AWS or PostgreSQL refused an action because the
// caller has no permission for it, or because its login was refused. Functions first
// try again for a few seconds (see [Patience]). The machine does not retry it, and it
// is never redriven automatically: a person must grant the permission.
type AccessDenied struct {
	Op       string // what was attempted, and on which object
	Action   string // the refused action, such as "kms:Decrypt" or "connect"
	Resource string // the resource, such as an ARN; empty if unknown
	Detail   string // the service's code and reason, without any value of the data
	Err      error  // the cause, never nil
}

// Error implements error.
func (e *AccessDenied) Error() string {
	return message.Text(accessDeniedText(e.Op, e.Action, e.Resource, e.Detail))
}

// Unwrap returns the cause.
func (e *AccessDenied) Unwrap() error { return e.Err }

// Advice implements [Stop].
func (e *AccessDenied) Advice() Advice { return Redrive }

// States of a KMS key that [KeyUnusable] names.
const (
	KeyDisabled        = "Disabled"
	KeyPendingDeletion = "PendingDeletion"
	KeyNotFound        = "NotFound"
	KeyIncorrect       = "IncorrectKey" // the key is sound, but another one wrapped the data key
	KeyInvalidState    = "InvalidState" // any other state in which KMS refuses a key
)

// KeyUnusable reports a KMS key whose state forbids its use, or that is the wrong one.
// It is not retried: a person must enable the key, cancel its deletion, or name another.
type KeyUnusable struct {
	Op     string // what was attempted
	State  string // one of the constants above
	Detail string // the service's message, which names the key
	Err    error  // the cause, never nil
}

// Error implements error.
func (e *KeyUnusable) Error() string {
	return message.Text(keyUnusableText(e.Op, e.State, e.Detail))
}

// Unwrap returns the cause.
func (e *KeyUnusable) Unwrap() error { return e.Err }

// Advice implements [Stop].
func (e *KeyUnusable) Advice() Advice { return Redrive }
