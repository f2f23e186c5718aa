package contract

// ibanLength is the length of an IBAN by its country code: the SWIFT IBAN
// Registry (the register of ISO 13616), release 100, and its additions since.
// French and Finnish overseas territories use FR and FI.
func ibanLength(country string) int {
	switch country {
	case "NO":
		return 15
	case "BE":
		return 16
	case "DK", "FI", "FK", "FO", "GL", "NL", "SD":
		return 18
	case "MK", "SI":
		return 19
	case "AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK":
		return 20
	case "CH", "HR", "LI", "LV":
		return 21
	case "BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA":
		return 22
	case "AE", "GI", "IL", "IQ", "OM", "SO", "TL":
		return 23
	case "AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG":
		return 24
	case "LY", "PT", "ST":
		return 25
	case "IS", "TR":
		return 26
	case "BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM":
		return 27
	case "AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV":
		return 28
	case "BR", "EG", "PS", "QA", "UA":
		return 29
	case "JO", "KW", "MU", "YE":
		return 30
	case "MT", "SC":
		return 31
	case "LC":
		return 32
	case "RU":
		return 33
	default:
		return 0
	}
}

// IsIBAN reports whether s is an IBAN in its electronic form (ISO 13616): a
// country code of the registry, two check digits, then upper-case letters and
// digits up to the country's length, without spaces, and check digits that are
// right by ISO/IEC 7064 MOD 97-10. That gives 02 to 98; 00, 01 and 99, which have
// the same remainders, are wrong.
func IsIBAN(s string) bool {
	if len(s) < 15 || len(s) != ibanLength(s[:2]) {
		return false
	}
	switch s[2:4] {
	case "00", "01", "99":
		return false
	}
	remainder := 0
	for i := range len(s) {
		c := s[(i+4)%len(s)] // the first four come last
		digit := c >= '0' && c <= '9'
		switch {
		case digit:
			remainder = (remainder*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z' && (i+4)%len(s) != 2 && (i+4)%len(s) != 3:
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return remainder == 1
}
