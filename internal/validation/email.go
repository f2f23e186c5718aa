package validation

import "bytes"

// isEmail reports whether b has the form of an e-mail address: a valid e-mail
// address of the HTML standard (section 4.10.5.1.5) whose domain has at least
// two labels, as an address on the internet does. That is ASCII only: no quoted
// local parts, no comments, no internationalised domains except as xn-- labels.
func isEmail(b []byte) bool {
	at := bytes.IndexByte(b, '@')
	if at < 1 {
		return false
	}
	for _, c := range b[:at] {
		if !letterOrDigit(c) && bytes.IndexByte([]byte(".!#$%&'*+/=?^_`{|}~-"), c) < 0 {
			return false
		}
	}
	labels := 0
	for domain := b[at+1:]; ; labels++ {
		label, rest, more := bytes.Cut(domain, []byte{'.'})
		if !isLabel(label) {
			return false
		}
		if !more {
			return labels > 0
		}
		domain = rest
	}
}

// isLabel reports whether b is a label of a domain: 1 to 63 letters, digits and
// hyphens (RFC 1034, section 3.5, as RFC 1123 relaxes it), no hyphen at an end.
func isLabel(b []byte) bool {
	if len(b) == 0 || len(b) > 63 || b[0] == '-' || b[len(b)-1] == '-' {
		return false
	}
	for _, c := range b {
		if !letterOrDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

func letterOrDigit(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
}
