//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestNeedles: the search finds every canary in each form and at any place, and
// takes no ciphertext in hexadecimal for a number.
func TestNeedles(t *testing.T) {
	all := newFinder(needles())
	found := func(content string) bool { return len(all.find([]byte(content))) > 0 }
	for _, c := range canaries {
		for shift := range 4 {
			text := strings.Repeat("-", shift) + c + "- and more"
			for form, content := range map[string]string{
				"plain": text, "hexadecimal": hex.EncodeToString([]byte(text)),
				"base64": base64.StdEncoding.EncodeToString([]byte(text)), "base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(text)),
			} {
				if !found(content) {
					t.Errorf("%s is not found as %s after %d characters", needle{canary: c}, form, shift)
				}
			}
		}
	}
	for _, c := range canaries {
		for _, form := range escaped(c) {
			if !found("--" + form + "--") {
				t.Errorf("%s is not found as %q", needle{canary: c}, form)
			}
		}
	}
	want := []string{"\xe9\x00 \x00", "\x00\xe9\x00 ", `\u00e9 `, `\u00e9\u0020`, `\u00E9\u0020`, "%C3%A9%20", "%C3%A9+"}
	if got := escaped("é "); !slices.Equal(got, want) {
		t.Errorf("the forms are %q, want %q", got, want)
	}
	if trace := fmt.Sprintf("main.protect(0x7f, %#x)", 918273645546372819); !found(trace) {
		t.Error("a number is not found in the trace of a panic")
	}
	if found(`\x01ab9182736450cd`) || !found(`\x01ab9182736450cd 9182736450,`) {
		t.Error("a number within a hexadecimal text")
	}
}

// TestExpanded: compressed content is searched as what it holds.
func TestExpanded(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("a " + canaryName + " b")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	n := needle{canaryName, []byte(canaryName)}
	content, err := expanded(packed.Bytes())
	if err != nil || n.found(packed.Bytes()) == n.found(content) {
		t.Errorf("the canary is not found in gzip alone after expansion: %v", err)
	}
	if _, err := expanded(packed.Bytes()[:20]); err == nil {
		t.Error("gzip that is cut is taken for searched")
	}
	if plain, err := expanded([]byte("plain")); err != nil || string(plain) != "plain" {
		t.Errorf("plain content becomes %q, %v", plain, err)
	}
}
