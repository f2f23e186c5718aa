package fault

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Denied reports whether an AWS service refused a request for want of a
// permission or of valid credentials.
func Denied(err error) bool {
	_, denied := refusal("", err).(*AccessDenied) //nolint:errorlint // made here, wrapped by nothing
	return denied
}

// refusal returns err as [AccessDenied] or [KeyUnusable], or nil if it is neither.
func refusal(op string, err error) Stop {
	code, text := "", ""
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code, text = api.ErrorCode(), api.ErrorMessage()
	}
	state := keyState(code, text, service(err))
	if state == "" {
		state = toldKeyState(text)
	}
	if state != "" {
		return &KeyUnusable{Op: op, State: state, Detail: join(code, text), Err: err}
	}
	if !deniedCode(code) && (!deniedStatus(err) || otherRefusal(code)) {
		return nil
	}
	action, resource := refused(text)
	if action == "" {
		action = operation(err)
	}
	return &AccessDenied{Op: op, Action: action, Resource: resource, Detail: join(code, text), Err: err}
}

func join(code, text string) string {
	return strings.Trim(code+": "+text, ": ")
}

// deniedCode knows the codes with which the services in use refuse a caller, in
// the spelling of each (API references, "Common errors"). Those that begin with
// KMS speak of the key behind a queue, a topic or a function.
func deniedCode(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "NotAuthorized",
		"UnauthorizedOperation", "AllAccessDisabled", "AccountProblem", "OptInRequired", "SubscriptionRequiredException",
		"KMSAccessDenied", "KMSAccessDeniedException", "KmsAccessDeniedException", "KMS.AccessDeniedException",
		"KMSOptInRequired", "InaccessibleEncryptionKeyException", "DecryptionFailure", "EncryptionFailure",
		"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidSignatureException",
		"SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"ExpiredToken", "ExpiredTokenException", "InvalidToken", "NotSignedUp", "InvalidSecurity":
		return true
	default:
		return false
	}
}

// deniedStatus reports whether the answer's status refuses the caller: a HEAD
// request is answered without a code.
func deniedStatus(err error) bool {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok && (response.HTTPStatusCode() == http.StatusForbidden || response.HTTPStatusCode() == http.StatusUnauthorized)
}

// otherRefusal knows the codes of answers with status 403 that no permission
// mends: an archived object, and a clock that is wrong.
func otherRefusal(code string) bool {
	return code == "InvalidObjectState" || code == "RequestTimeTooSkewed"
}

// keyState returns the state in which KMS refuses a key, or "" if the error says
// nothing of the kind. Other services prefix KMS's codes.
func keyState(code, text, service string) string {
	name := strings.TrimSuffix(code, "Exception")
	short := strings.TrimPrefix(name, "KMS.")
	short = strings.TrimPrefix(strings.TrimPrefix(short, "KMS"), "Kms")
	if short == name && service != "KMS" && name != "Disabled" {
		return ""
	}
	switch short {
	case "Disabled":
		return KeyDisabled
	case "NotFound":
		return KeyNotFound
	case "IncorrectKey":
		return KeyIncorrect
	case "InvalidState":
		switch {
		case strings.Contains(text, "pending deletion"), strings.Contains(text, "PendingDeletion"):
			return KeyPendingDeletion
		case strings.Contains(text, "is disabled"):
			return KeyDisabled
		default:
			return KeyInvalidState
		}
	default:
		return ""
	}
}

// toldKeyState returns the state of a key that a service tells in its own words, as
// DynamoDB and Step Functions do with what KMS told them; "" if it tells none.
func toldKeyState(text string) string {
	if m := regexp.MustCompile(`(?:Service: AWSKMS; .*Error Code: (?:KMS\.)?|Error Code: KMS\.)(\w+)`).FindStringSubmatch(text); m != nil {
		return keyState("KMS."+m[1], text, "")
	}
	if regexp.MustCompile(`:key/[\w-]+ is (?:disabled|pending deletion)`).MatchString(text) {
		return keyState("KMS.InvalidState", text, "")
	}
	return ""
}

// service is the name of the service that was asked, as the SDK has it.
func service(err error) string {
	if asked, ok := errors.AsType[*smithy.OperationError](err); ok {
		return asked.ServiceID
	}
	return ""
}

// operation returns the permission that the operation needs, as far as its name shows.
func operation(err error) string {
	asked, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return "?"
	}
	prefix := strings.ToLower(strings.ReplaceAll(asked.ServiceID, " ", ""))
	if prefix == "sfn" {
		prefix = "states"
	}
	if prefix == "s3" {
		return prefix + ":" + s3Action(asked.OperationName)
	}
	return prefix + ":" + asked.OperationName
}

// s3Action is the permission of an operation of S3 where its name is another
// (Service Authorization Reference, "Actions for Amazon S3").
func s3Action(operation string) string {
	switch operation {
	case "HeadObject":
		return "GetObject"
	case "ListObjectsV2", "ListObjects", "HeadBucket":
		return "ListBucket"
	case "ListObjectVersions":
		return "ListBucketVersions"
	case "DeleteObjects":
		return "DeleteObjectVersion"
	case "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
		return "PutObject"
	default:
		return operation
	}
}

// refused reads action and resource out of a service's message, which says "…is
// not authorized to perform: ACTION on resource: RESOURCE because…" (IAM User
// Guide, "Troubleshoot access denied error messages").
func refused(text string) (action, resource string) {
	if m := notAuthorized().FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	return "", ""
}

func notAuthorized() *regexp.Regexp {
	return regexp.MustCompile(`not authorized to perform:? ([\w-]+:\w+)(?: on(?: resource)?:? "?([^\s"]+)"?)?`)
}
