package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxKey = 64 // characters

func validKey(key string) bool { return key != "" && utf8.RuneCountInString(key) <= maxKey }

// digest is the hash of a key, from which all that is known about it follows.
type digest [sha256.Size]byte

func digestOf(key string) digest { return sha256.Sum256([]byte(key)) }

// id tells keys apart in the counts.
func (d digest) id() uint64 { return binary.BigEndian.Uint64(d[8:]) }

// found reports whether the key is known: about one in fifty is not.
func (d digest) found() bool { return d[0] >= 5 }

// segment is one of four with a code, which makes it unlike any other text: the proofs
// look for it where it must not be.
func (d digest) segment() string {
	return [...]string{"essentiel", "confort", "premium", "professionnel"}[d[1]%4] + "-" + hex.EncodeToString(d[16:20])
}

func (d digest) tier() string { return [...]string{"bronze", "argent", "or", "platine"}[d[2]%4] }

// score is the risk as a decimal from 0 to 1 with twelve digits behind the point, as
// unlike any other text as the segment.
func (d digest) score() string {
	const one = 1_000_000_000_000
	score := binary.BigEndian.Uint64(d[24:]) % (one + 1)
	return fmt.Sprintf("%d.%012d", score/one, score%one)
}

// startsWithAny reports whether the hash, in hexadecimal, starts with one of the prefixes.
func (d digest) startsWithAny(prefixes []string) bool {
	if len(prefixes) == 0 {
		return false
	}
	text := hex.EncodeToString(d[:])
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(text, p) })
}

// appendKey appends a key as JSON.
func appendKey(out []byte, key string) []byte {
	if strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		quoted, _ := json.Marshal(key) // a string always has a JSON form
		return append(out, quoted...)
	}
	return append(append(append(out, '"'), key...), '"')
}

// appendResult appends the contract's ClientResult for a key. A mode that is a fault of
// one result spoils it, and makes it one of a known key.
func appendResult(out []byte, key string, d digest, mode string) []byte {
	out = appendKey(append(out, `{"key":`...), key)
	if !d.found() && !spoils(mode) {
		out = append(out, `,"found":false`...)
		return append(appendUnknown(out, mode), '}')
	}
	out = append(append(append(out, `,"found":true,"segment":"`...), d.segment()...), `","loyalty_tier":"`...)
	out = append(append(out, d.tier()...), `","risk_score":`...)
	switch mode {
	case "bad_record":
		out = append(out, `"élevé"`...)
	case "out_of_range":
		out = append(out, "17"...)
	case "huge_number":
		out = append(out, "1e999999999"...)
	default:
		out = append(out, d.score()...)
	}
	if mode == "duplicate_members" {
		out = append(out, `,"segment":"essentiel"`...)
	}
	return append(appendUnknown(out, mode), '}')
}

// appendUnknown appends members that the contract does not name, if the mode says so.
func appendUnknown(out []byte, mode string) []byte {
	if mode != "unknown_members" {
		return out
	}
	return append(out, `,"internal_id":7,"score_details":{"segment":["x"]}`...)
}

// spoils reports whether a mode is a fault of one result, the first of a batch.
func spoils(mode string) bool {
	switch mode {
	case "bad_record", "out_of_range", "huge_number", "duplicate_members":
		return true
	}
	return false
}

// appendResults appends the contract's BatchResponse, as the mode has it.
func appendResults(out []byte, keys []string, digests []digest, mode string) []byte {
	out = append(out, `{"results":[`...)
	for n, i := range resultOrder(len(keys), mode) {
		if n > 0 {
			out = append(out, ',')
		}
		own := mode
		if n > 0 && spoils(mode) {
			own = "ok"
		}
		out = appendResult(out, keys[i], digests[i], own)
	}
	return append(out, `]}`...)
}
