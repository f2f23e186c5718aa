package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/phase"
)

// logCounts is what was read of the central log.
type logCounts struct {
	streams int64
	lines   int64 // of the central log, not of the platform
	rejects int64 // lines of rejected records
}

// logPage is the largest page of GetLogEvents (CloudWatch Logs API Reference,
// "GetLogEvents").
const logPage = 10000

// readLog reads the whole central log, page by page, and copies the lines of
// rejected records into the table proof_log. It is read stream by stream, as the
// emulator finds a page of a stream faster than one of the group.
func (d *database) readLog(ctx context.Context, c *cloud) (counts logCounts, err error) {
	group := "/etl-dataloader/" + stackName
	streams, err := c.logStreams(ctx, group)
	if err != nil {
		return counts, err
	}
	counts.streams = int64(len(streams))
	for _, stream := range streams {
		err := c.eachLogPage(ctx, group, stream, func(messages []string) error {
			rows := rejectLines(messages, &counts)
			_, err := d.conn.CopyFrom(ctx, pgx.Identifier{"proof_log"}, []string{"import_id", "file", "line_number", "error_details"}, pgx.CopyFromRows(rows))
			return err
		})
		if err != nil {
			return counts, fmt.Errorf("log stream %s: %w", stream, err)
		}
	}
	return counts, nil
}

// rejectLines picks the lines of rejected records.
func rejectLines(messages []string, counts *logCounts) (rows [][]any) {
	for _, text := range messages {
		var line struct {
			Level, Message, File, System string
			Line                         int64  `json:"line_number"`
			Details                      string `json:"error_details"`
			ImportID                     string `json:"import_id"`
		}
		if json.Unmarshal([]byte(text), &line) != nil || line.System == "" {
			continue // START, END and REPORT of the platform
		}
		counts.lines++
		if line.Level == "ERROR" && line.Message == phase.ValidationError {
			counts.rejects++
			rows = append(rows, []any{line.ImportID, line.File, line.Line, line.Details})
		}
	}
	return rows
}

// logStreams lists the streams of a log group.
func (c *cloud) logStreams(ctx context.Context, group string) (names []string, err error) {
	in := map[string]any{"logGroupName": group}
	for {
		var out struct {
			LogStreams []struct{ LogStreamName string }
			NextToken  string
		}
		if err := c.Call(ctx, "Logs_20140328.DescribeLogStreams", in, &out); err != nil {
			return nil, err
		}
		for _, s := range out.LogStreams {
			names = append(names, s.LogStreamName)
		}
		if out.NextToken == "" {
			return names, nil
		}
		in["nextToken"] = out.NextToken
	}
}

// eachLogPage calls visit with the messages of each page of a stream, oldest first.
func (c *cloud) eachLogPage(ctx context.Context, group, stream string, visit func(messages []string) error) error {
	in := map[string]any{"logGroupName": group, "logStreamName": stream, "startFromHead": true, "limit": logPage}
	for {
		var out struct {
			Events           []struct{ Message string }
			NextForwardToken string
		}
		if err := c.Call(ctx, "Logs_20140328.GetLogEvents", in, &out); err != nil {
			return err
		}
		messages := make([]string, len(out.Events))
		for i, e := range out.Events {
			messages[i] = e.Message
		}
		if err := visit(messages); err != nil {
			return err
		}
		if out.NextForwardToken == in["nextToken"] || len(messages) == 0 {
			return nil
		}
		in["nextToken"] = out.NextForwardToken
	}
}
