package caller

// Unverified stands for somebody whom AWS does not vouch for.
const Unverified = "identité non vérifiée"

// textVerified names an identity: the name of a session is what its caller wrote.
func textVerified(arn, session, accessKey string) string {
	if session != "" {
		arn += ", session déclarée « " + session + " »"
	}
	if accessKey != "" {
		arn += " (clé " + accessKey + ")"
	}
	return arn
}
