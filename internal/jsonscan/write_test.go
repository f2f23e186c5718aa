package jsonscan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"etl-dataloader/internal/jsonscan"
)

// TestAppendString: a text reads back as it was, wherever in it the character
// stands that needs an escape; one without any is copied.
func TestAppendString(t *testing.T) {
	for r := range rune(0x800) {
		checkString(t, "a"+string(r)+"é")
		checkString(t, "é"+string(r))
	}
	for _, text := range []string{"", "\u2028", "�", "a�&", "😀\"", strings.Repeat("x", 100) + "\\"} {
		checkString(t, text)
	}
	if got := string(jsonscan.AppendString(nil, []byte("<&> é\u2028"))); got != "\"<&> é\u2028\"" {
		t.Errorf("a plain text became %q", got)
	}
}

func checkString(t *testing.T, text string) {
	t.Helper()
	var got string
	if err := json.Unmarshal(jsonscan.AppendString(nil, []byte(text)), &got); err != nil || got != text {
		t.Errorf("%q became %q, %v", text, got, err)
	}
}
