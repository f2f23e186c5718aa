package message_test

import (
	"strings"
	"testing"

	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/message"
)

func TestFigures(t *testing.T) {
	for got, want := range map[string]string{
		message.Count(0):              "0",
		message.Count(999):            "999",
		message.Count(1000):           "1 000",
		message.Count(100_000_000):    "100 000 000",
		message.Count(-12_345):        "-12 345",
		message.Seconds(0):            "0,0 s",
		message.Seconds(9.94):         "9,9 s",
		message.Seconds(9.96):         "10 s",
		message.Seconds(59.4):         "59 s",
		message.Seconds(59.6):         "1 min 00 s",
		message.Seconds(185):          "3 min 05 s",
		message.Seconds(3599.7):       "1 h 00 min",
		message.Seconds(7630):         "2 h 07 min",
		message.Bytes(0):              "0 o",
		message.Bytes(999):            "999 o",
		message.Bytes(1000):           "1,0 ko",
		message.Bytes(999_949):        "999,9 ko",
		message.Bytes(999_950):        "1,0 Mo",
		message.Bytes(10_000_000_000): "10,0 Go",
		message.Bytes(1 << 62):        "4611686,0 To",
	} {
		if strings.ReplaceAll(got, "\u00a0", " ") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part, whole int64
		want        string
	}{
		{0, 0, "0 %"},
		{0, 10, "0 %"},
		{1, 1_000_001, "< 0,1 %"},
		{1, 1000, "0,1 %"},
		{312, 1000, "31,2 %"},
		{1, 3, "33,3 %"},
		{999_999, 1_000_000, "99,9 %"},
		{10, 10, "100 %"},
		{20, 100, "20 %"},
		{300_000, 1_000_000, "30 %"},
	} {
		if got := strings.ReplaceAll(message.Share(c.part, c.whole), "\u00a0", " "); got != c.want {
			t.Errorf("%d of %d is %q, want %q", c.part, c.whole, got, c.want)
		}
	}
}

// TestCauses: every cause that a source may have, by its name and code; an unknown one by
// its code.
func TestCauses(t *testing.T) {
	t.Parallel()
	got := message.Causes(map[string]int64{"timeout": 2, "refused": 1_000, "new": 2})
	if want := "1\u00a0000 × appel refusé (refused), 2 × new, 2 × pas de réponse à temps (timeout)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := message.Causes(nil); got != "" {
		t.Errorf("%q of nothing", got)
	}
	for _, code := range []enrichment.Code{
		enrichment.CodeTimeout, enrichment.CodeUnreachable, enrichment.CodeServerError, enrichment.CodeThrottled, enrichment.CodeUnauthorized, enrichment.CodeRefused,
		enrichment.CodeInvalidAnswer, enrichment.CodeRecordError, enrichment.CodeNoResult, enrichment.CodeUnusableKey,
	} {
		if name := message.CauseName(string(code)); name == string(code) {
			t.Errorf("%s has no name", code)
		}
	}
}
