package objectstore_test

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc64"
	"testing"

	"etl-dataloader/internal/objectstore"
)

// checksum computes CRC-64/NVME another way: the reversed polynomial is the one
// that the NVM Express specification gives.
func checksum(content []byte) string {
	const reversed = 0x9a6c9329ac4bc9b5
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, crc64.Checksum(content, crc64.MakeTable(reversed))))
}

// TestChecksum: the check value of the catalogue of CRCs, and any length and cut.
func TestChecksum(t *testing.T) {
	t.Parallel()
	sum := objectstore.NewChecksum()
	_, _ = sum.Write([]byte("123456789"))
	if got, want := objectstore.ChecksumText(sum), "rosUhgp5mIg="; got != want || checksum([]byte("123456789")) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	all := content(5000, 3)
	for size := 0; size <= len(all); size += 1 + size/7 {
		sum := objectstore.NewChecksum()
		_, _ = sum.Write(all[:size/3])
		_, _ = sum.Write(all[size/3 : size])
		if objectstore.ChecksumText(sum) != checksum(all[:size]) {
			t.Errorf("of %d bytes another checksum", size)
		}
	}
}
