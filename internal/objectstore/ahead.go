package objectstore

import (
	"context"
	"io"
)

// Read-ahead of a large object: segments of segmentBytes, aheadSegments of them
// in flight, so a reader holds at most their product in memory (32 MiB).
const (
	segmentBytes  = 8 << 20
	aheadSegments = 4
)

// OpenAhead reads a whole object version of the given size, in order, with ranged GETs
// that run ahead of the reader. The caller must close it.
func (s *Store) OpenAhead(ctx context.Context, key, versionID string, size int64) io.ReadCloser {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{ctx: ctx, cancel: cancel, left: size, segments: make(chan chan segment, aheadSegments-1)}
	go a.fetch(ctx, s, key, versionID, size)
	return a
}

type segment struct {
	data []byte
	err  error
}

// ahead yields the segments in the order in which they were requested.
type ahead struct {
	ctx      context.Context //nolint:containedctx // it ends with the reader, which is the call's own
	cancel   context.CancelFunc
	left     int64 // bytes not yet received: the end is the object's, never a cancelled context's
	segments chan chan segment
	current  []byte
	err      error
}

func (a *ahead) fetch(ctx context.Context, s *Store, key, versionID string, size int64) {
	defer close(a.segments)
	for start := int64(0); start < size; start += segmentBytes {
		result := make(chan segment, 1)
		select {
		case a.segments <- result:
		case <-ctx.Done():
			return
		}
		end := min(start+segmentBytes, size)
		go func() {
			body, err := s.OpenRange(ctx, key, versionID, start, end)
			if err != nil {
				result <- segment{err: err}
				return
			}
			defer func() { _ = body.Close() }()
			data := make([]byte, end-start)
			_, err = io.ReadFull(body, data)
			result <- segment{data: data, err: err}
		}()
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.current) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		result, ok := <-a.segments
		if !ok {
			if a.err = a.ctx.Err(); a.left == 0 {
				a.err = io.EOF
			}
			continue
		}
		next := <-result
		if next.err != nil {
			a.err = next.err
			continue
		}
		a.current = next.data
		a.left -= int64(len(next.data))
	}
	n := copy(p, a.current)
	a.current = a.current[n:]
	return n, nil
}

// Close stops the requests and drops those that are running.
func (a *ahead) Close() error {
	a.cancel()
	return nil
}
