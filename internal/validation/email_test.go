package validation

import (
	"strings"
	"testing"
)

func TestIsEmail(t *testing.T) {
	label := strings.Repeat("a", 63)
	for _, text := range []string{
		"a@b.c", "eva.dupont@example.fr", "eva+tag@example.co.uk", "e@xn--socit-esab.fr", "!#$%&'*+/=?^_`{|}~-@x.y", "1@2.3", "a@" + label + ".fr", "EVA@EXAMPLE.FR", "a@b-c.d-e.fr",
	} {
		if !isEmail([]byte(text)) {
			t.Errorf("%q is refused", text)
		}
	}
	for _, text := range []string{
		"", "@", "a@", "@b.c", "a@b", "a@b.", "a@.b", "a@b..c", "a@-b.c", "a@b-.c", "a@" + label + "a.fr", "a b@c.d", "a@b c.d", "a@b@c.d", "a@b_c.d", "\"a\"@b.c", "a@[127.0.0.1]",
		"éva@example.fr", "eva@société.fr", " a@b.c", "a@b.c ", "a@b.c\n", "a<a@b.c>", "a,b@c.d", "a@b.c,d@e.f", "(x)a@b.c",
	} {
		if isEmail([]byte(text)) {
			t.Errorf("%q is accepted", text)
		}
	}
}
