package contract

// maxIBAN is the longest IBAN that ISO 13616 allows, in characters.
const maxIBAN = 34

// isIBAN reports whether s has the electronic form of an IBAN (ISO 13616): two
// letters of a country, two check digits, then 1 to 30 upper-case letters and
// digits, without spaces, and correct check digits according to ISO/IEC 7064 MOD
// 97-10. These are 02 to 98; 00, 01 and 99, which have the same remainders, are
// wrong. The length in each country is not checked: lengths are in a registry that
// grows every year, and an account of a new country must not be a reject.
func isIBAN(s string) bool {
	if len(s) < 5 || len(s) > maxIBAN || !letter(s[0]) || !letter(s[1]) {
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
		case letter(c) && (i+4)%len(s) != 2 && (i+4)%len(s) != 3:
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return remainder == 1
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' }
