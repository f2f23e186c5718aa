// Package caller says who made a request.
//
// An identity is verified only if AWS vouches for it: API Gateway checked a signature,
// or CloudTrail recorded a call. Whatever a request says about its own author is
// ignored. The name of a session is written by whoever assumes the role or federates the
// user, so it is shown as such and proves nothing.
package caller

import (
	"strings"

	"etl-dataloader/internal/message"
)

// Identity is who made a request. The zero value is somebody unknown.
type Identity struct {
	ARN       string // of the user, the assumed role's session or the federated user; "" if unknown
	AccessKey string // id of the access key that signed the request; "" if unknown
}

// Verified reports whether AWS vouches for the identity.
func (i Identity) Verified() bool { return i.ARN != "" }

// Session splits the ARN of a session into the ARN without the session's name, and that
// name, which its caller wrote. Of an assumed role the role remains, of a federated user
// only the account. For any other ARN, name is empty.
func (i Identity) Session() (arn, name string) {
	parts := strings.SplitN(i.ARN, ":", arnParts)
	if len(parts) < arnParts || parts[2] != "sts" {
		return i.ARN, ""
	}
	kind, name, ok := strings.Cut(parts[arnParts-1], "/")
	switch {
	case ok && kind == "federated-user":
	case ok && kind == "assumed-role":
		if _, name, ok = strings.Cut(name, "/"); !ok {
			return i.ARN, ""
		}
	default:
		return i.ARN, ""
	}
	return strings.TrimSuffix(i.ARN, "/"+name), name
}

// arnParts is the number of parts of an ARN: arn, partition, service, region, account
// and resource.
const arnParts = 6

// String returns the identity as people read it, in French.
func (i Identity) String() string {
	if !i.Verified() {
		return Unverified
	}
	arn, session := i.Session()
	return message.Text(textVerified(arn, session, i.AccessKey))
}
