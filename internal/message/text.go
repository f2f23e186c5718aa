package message

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of texts. They keep every text far below the limits of AWS: 256 KiB for an
// Amazon SNS notification or a CloudWatch Logs event, 400 KB for a DynamoDB item, 32,768
// characters for a Step Functions cause (the quota pages of each).
const (
	// TextBytes bounds one text: a fault, a reason, an attribute of a log line.
	TextBytes = 1024
	// listItems and listBytes bound a list, and itemBytes each of its elements: a list
	// of long elements shows fewer of them, but never only one.
	listItems, listBytes, itemBytes = 20, 800, 200
)

// Text makes a text from any source fit to be stored and shown: valid UTF-8 on one
// line, with control characters escaped as by [Visible], and at most [TextBytes] bytes
// long. A longer text is cut between two characters and marked as cut. Every text of a
// fault, a log line, the registry, a report and etl.attempts goes through it. A text
// that is already fit is returned unchanged.
func Text[T ~string](text T) T {
	return T(Cut(Visible(Cut(string(text), 2*TextBytes)), TextBytes)) // the first cut bounds the work
}

// Quoted puts a name from outside, such as an object's key, in quotation marks, so that
// a reader sees where it begins and ends. Quotation marks in it are escaped, too.
func Quoted(name string) string {
	return opening + " " + strings.NewReplacer(opening, `\u00ab`, closing, `\u00bb`).Replace(Text(name)) + " " + closing
}

// Name returns a name from outside for use within a sentence: unchanged if it has only
// characters that are usual in file names, else [Quoted].
func Name(name string) string {
	plain := func(r rune) bool {
		return (r < utf8.RuneSelf && (r == '/' || r == '.' || r == '_' || r == '-' || r == ':')) || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	if name != "" && len(name) <= TextBytes && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return Quoted(name)
}

// List joins the elements of a list for a sentence. It shows as many as a reader can
// take in, and counts the others («et 7 autres»).
func List(items []string, separator string) string {
	var list strings.Builder
	for i, item := range items {
		item = Item(item)
		if i > 0 && (i == listItems || list.Len()+len(separator)+len(item) > listBytes) {
			return list.String() + Others(len(items)-i)
		}
		if i > 0 {
			list.WriteString(separator)
		}
		list.WriteString(item)
	}
	return list.String()
}

// Item makes the text of a list's element fit to be shown, as [Text] does, and shorter.
func Item(text string) string { return Cut(Visible(Cut(text, itemBytes)), itemBytes) }

// Others counts the elements that a list does not show.
func Others(n int) string {
	if n == 1 {
		return " et 1 autre"
	}
	return fmt.Sprintf(" et %s autres", Count(int64(n)))
}

// Visible escapes what a terminal or a page would act upon or hide: line breaks and
// other control characters, characters that change the direction of text, and invisible
// ones. Letters, marks, signs and spaces stay. The escapes are those of JSON, so JSON
// text remains JSON with the same value.
func Visible(text string) string { return escape(text, false) }

// VisibleLines is [Visible] for text of several lines: it keeps line breaks.
func VisibleLines(text string) string { return escape(text, true) }

func escape(text string, lines bool) string {
	harmless := func(r rune, size int) bool {
		return (r != utf8.RuneError || size > 1) && (strconv.IsGraphic(r) || (lines && r == '\n'))
	}
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !harmless(r, size) {
			out.WriteString(text[done:i])
			writeEscape(&out, r)
			done = i + size
		}
		i += size
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// writeEscape writes the escape of one character; an invalid byte is shown as
// U+FFFD, the character that stands for one.
func writeEscape(out *strings.Builder, r rune) {
	switch {
	case r == utf8.RuneError:
		out.WriteRune(r)
	case r == '\n':
		out.WriteString(`\n`)
	case r == '\r':
		out.WriteString(`\r`)
	case r == '\t':
		out.WriteString(`\t`)
	case r > 0xffff: // a surrogate pair, as in JSON
		const half, low = 10, 0x3ff
		fmt.Fprintf(out, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>half, 0xdc00+(r-0x10000)&low)
	default:
		fmt.Fprintf(out, `\u%04x`, r)
	}
}

// Cut shortens a text to at most limit bytes, between two characters, and marks it.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len(cutMark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cutMark
}
