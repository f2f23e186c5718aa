package record

import (
	"bytes"
	"strings"
)

// longestMagic is the length of the longest start of a file in compressions, in
// bytes.
const longestMagic = 10

// compressions are the starts of compressed files: gzip (RFC 1952), zip (PKWARE's
// APPNOTE, 4.3.7, and 4.3.16 of an empty one), xz, zstd (RFC 8878), 7z.
var compressions = []string{ //nolint:gochecknoglobals // a constant
	"\x1f\x8b", "PK\x03\x04", "PK\x05\x06", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd", "7z\xbc\xaf\x27\x1c",
}

// isCompressed reports whether a file that starts so is compressed.
func isCompressed(data []byte) bool {
	for _, magic := range compressions {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	// bzip2: a digit gives the size of the blocks, then the first block starts, or
	// the end of a file without one.
	const digit = 3
	return len(data) >= longestMagic && bytes.HasPrefix(data, []byte("BZh")) && data[digit] >= '1' && data[digit] <= '9' &&
		strings.Contains("1AY&SY\x00\x17\x72\x45\x38\x50\x90", string(data[digit+1:longestMagic]))
}
