package main

// bankCountry is how a country's account numbers look: n digits, c letters or
// digits, a letters.
type bankCountry struct{ code, form string }

func bankCountries() []bankCountry {
	return []bankCountry{
		{"FR", "nnnnnnnnnncccccccccccnn"},
		{"FR", "nnnnnnnnnnnnnnnnnnnnnnn"},
		{"DE", "nnnnnnnnnnnnnnnnnn"},
		{"BE", "nnnnnnnnnnnn"},
		{"GB", "aaaannnnnnnnnnnnnn"},
		{"ES", "nnnnnnnnnnnnnnnnnnnn"},
		{"NO", "nnnnnnnnnnn"},
		{"MT", "aaaannnnncccccccccccccccccc"},
	}
}

// appendIBAN appends an account number with right check digits (ISO 13616, whose
// check is ISO 7064 MOD 97-10).
func appendIBAN(b []byte, d *dice) []byte {
	country := of(d, bankCountries())
	start := len(b)
	b = append(b, country.code...)
	b = append(b, '0', '0')
	for _, c := range country.form {
		switch {
		case c == 'a' || (c == 'c' && d.chance(400)):
			b = append(b, byte('A'+d.below(26))) //nolint:gosec // a letter
		default:
			b = append(b, byte('0'+d.below(10))) //nolint:gosec // a digit
		}
	}
	iban := b[start:]
	check := 98 - remainder97(iban)
	iban[2], iban[3] = byte('0'+check/10), byte('0'+check%10) //nolint:gosec // digits
	return b
}

// remainder97 reads an account number as the standard says: its first four
// characters last, letters as 10 to 35.
func remainder97(iban []byte) int {
	rest := 0
	step := func(c byte) {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
			return
		}
		rest = (rest*10 + int(c-'0')) % 97
	}
	for _, c := range iban[4:] {
		step(c)
	}
	for _, c := range iban[:4] {
		step(c)
	}
	return rest
}
