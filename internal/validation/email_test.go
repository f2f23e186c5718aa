package validation

import (
	"strings"
	"testing"
)

func TestIsEmail(t *testing.T) {
	label := strings.Repeat("a", 63)
	for _, text := range []string{
		"a@b.c", "eva.dupont@example.fr", "eva+tag@example.co.uk", "e@xn--socit-esab.fr", "!#$%&'*+/=?^_`{|}~-@x.y", "1@2.3", "a@" + label + ".fr", "EVA@EXAMPLE.FR", "a@b-c.d-e.fr",
		"éva@example.fr", "eva@société.fr", "用户@例子.公司", "e\u0301va@exemple.fr", "हिन्दी@उदाहरण.भारत", "a..b@c.fr", ".a@b.fr",
		strings.Repeat("x", 64) + "@b.fr", strings.Repeat("é", 64) + "@b.fr", strings.Repeat("e\u0301", 64) + "@b.fr", "a@" + strings.Repeat("é", 63) + ".fr",
		sized("x", 254), sized("é", 254), sized("e\u0301", 254),
	} {
		if !isEmail([]byte(text)) {
			t.Errorf("%q is refused", text)
		}
	}
	for _, text := range []string{
		"", "@", "a@", "@b.c", "a@b", "a@b.", "a@.b", "a@b..c", "a@-b.c", "a@b-.c", "a@" + label + "a.fr", "a b@c.d", "a@b c.d", "a@b@c.d", "a@b_c.d", "\"a\"@b.c", "a@[127.0.0.1]",
		strings.Repeat("x", 65) + "@b.fr", strings.Repeat("é", 65) + "@b.fr", "a@" + strings.Repeat("é", 64) + ".fr", sized("x", 255), sized("é", 255), sized("e\u0301", 255),
		"\u0301a@b.fr", "a.\u0301@b.fr", "a@\u0301b.fr", "a@b.\u0301", "a\u00a0@b.fr", "a@１.fr", "😀@b.fr", "a@b。fr", "a\u200d@b.fr", "a@b.fr\ufeff", "a\u202eb@c.fr", " a@b.c", "a@b.c ", "a@b.c\n", "a<a@b.c>", "a,b@c.d", "a@b.c,d@e.f", "(x)a@b.c",
	} {
		if isEmail([]byte(text)) {
			t.Errorf("%q is accepted", text)
		}
	}
}

// sized returns an address of n characters whose labels are made of a letter.
func sized(letter string, n int) string {
	address := "a@"
	for left := n - len("a@") - len(".fr"); left > 0; {
		label := min(left, 62)
		if left == 63 || left == 64 {
			label = left - 2
		}
		address += strings.Repeat(letter, label)
		if left -= label; left > 0 {
			address += "."
			left--
		}
	}
	return address + ".fr"
}
