package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"etl-dataloader/internal/contract"
)

// The examples of the SWIFT IBAN Registry.
var ibans = []string{
	"AD1200012030200359100100", "AE070331234567890123456", "AL47212110090000000235698741", "AT611904300234573201", "BE68539007547034",
	"BG80BNBG96611020345678", "BR1800360305000010009795493C1", "CH9300762011623852957", "CY17002001280000001200527600", "CZ6508000000192000145399",
	"DE89370400440532013000", "DK5000400440116243", "EE382200221020145685", "ES9121000418450200051332", "FI2112345600000785", "FO6264600001631634",
	"FR1420041010050500013M02606", "GB29NWBK60161331926819", "GI75NWBK000000007099453", "GR1601101250000000012300695", "HR1210010051863000160",
	"HU42117730161111101800000000", "IE29AIBK93115212345678", "IL620108000000099999999", "IS140159260076545510730339", "IT60X0542811101000000123456",
	"KW81CBKU0000000000001234560101", "LB62099900000001001901229114", "LC55HEMM000100010012001200023015", "LI21088100002324013AA", "LT121000011101001000",
	"LU280019400644750000", "LV80BANK0000435195001", "MC5811222000010123456789030", "MT84MALT011000012345MTLCAST001S", "MU17BOMM0101101030300200000MUR",
	"NL91ABNA0417164300", "NO9386011117947", "PL61109010140000071219812874", "PT50000201231234567890154", "RO49AAAA1B31007593840000", "SA0380000000608010167519",
	"SE4550000000058398257466", "SI56263300012039086", "SK3112000000198742637541", "SM86U0322509800000000270100", "TN5910006035183598478831",
	"TR330006100519786457841326", "UA213223130000026007233566001", "VA59001123000012345678", "XK051212012345678906",
}

func TestIBAN(t *testing.T) {
	for _, text := range ibans {
		if !contract.IsIBAN(text) {
			t.Errorf("%s is refused", text)
		}
		// Any single wrong character is found, and so is a swap of two neighbouring
		// digits (1B and B1 are one number, as B stands for 11).
		for i := 2; i < len(text); i++ {
			wrong := []byte(text)
			if wrong[i] = '0'; text[i] == '0' {
				wrong[i] = '1'
			}
			if contract.IsIBAN(string(wrong)) {
				t.Errorf("%s is accepted in place of %s", wrong, text)
			}
			swapped := []byte(text)
			swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
			if string(swapped) != text && swapped[i-1] <= '9' && swapped[i] <= '9' && contract.IsIBAN(string(swapped)) {
				t.Errorf("%s is accepted in place of %s", swapped, text)
			}
		}
		for _, wrong := range []string{strings.ToLower(text), text[:2] + " " + text[2:], text + " ", " " + text, text[:2] + "A" + text[3:]} {
			if contract.IsIBAN(wrong) {
				t.Errorf("%q is accepted", wrong)
			}
		}
	}
	for _, text := range []string{"", "FR", "FR14", "FR142004101005050001", "DE8937040044053201300é", "GB29 NWBK 6016 1331 9268 19", "6464SVBKUS6S3300958879", "FR14" + strings.Repeat("0", 31)} {
		if contract.IsIBAN(text) {
			t.Errorf("%q is accepted", text)
		}
	}
}

// 97 remainders have 97 pairs of check digits, 02 to 98; the three other pairs
// are never right.
func TestIBANCheckDigits(t *testing.T) {
	for account := range 200 {
		var right []string
		for check := range 100 {
			if text := fmt.Sprintf("DE%02d37040044%010d", check, account); contract.IsIBAN(text) {
				right = append(right, text)
			}
		}
		if len(right) != 1 || right[0][2:4] < "02" || right[0][2:4] > "98" {
			t.Fatalf("account %d: check digits of %v are right, want one pair from 02 to 98", account, right)
		}
	}
}
