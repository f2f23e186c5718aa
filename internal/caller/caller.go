// Package caller says who made a request.
//
// An identity is verified only if AWS vouches for it: API Gateway checked a signature,
// or CloudTrail recorded a call. Whatever a request says about its own author is
// ignored. The name of a session is written by whoever assumes the role, so it is shown
// as such and proves nothing.
package caller

import (
	"strings"

	"etl-dataloader/internal/message"
)

// Identity is who made a request. The zero value is somebody unknown.
type Identity struct {
	ARN       string // of the user or of the assumed role's session; "" if unknown
	AccessKey string // id of the access key that signed the request; "" if unknown
}

// Verified reports whether AWS vouches for the identity.
func (i Identity) Verified() bool { return i.ARN != "" }

// Session splits the ARN of an assumed role's session into the ARN without the name of
// the session, and that name, which its caller wrote. For any other ARN, name is empty.
func (i Identity) Session() (arn, name string) {
	_, resource, _ := strings.Cut(i.ARN, ":assumed-role/")
	at := strings.IndexByte(resource, '/')
	if at < 0 {
		return i.ARN, ""
	}
	name = resource[at+1:]
	return strings.TrimSuffix(i.ARN, "/"+name), name
}

// String returns the identity as people read it, in French.
func (i Identity) String() string {
	if !i.Verified() {
		return Unverified
	}
	arn, session := i.Session()
	return message.Text(textVerified(arn, session, i.AccessKey))
}
