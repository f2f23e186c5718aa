package enrichment

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// Limits of a message, beside its length.
const (
	maxDepth      = 32 // elements within each other
	maxAttributes = 64 // of one element
)

// xmlSpace is the white space of XML.
const xmlSpace = " \t\r\n"

// instanceNamespace is that of xsi:nil.
const instanceNamespace = "http://www.w3.org/2001/XMLSchema-instance"

// xmlReader reads an XML document in UTF-8, element by element. Whatever a SOAP message
// must not have ends it with an error: a document type, and so entities of its own,
// processing instructions, text beside elements, anything behind the root. Once it has an
// error it finds nothing more.
type xmlReader struct {
	decoder *xml.Decoder
	begun   bool
	depth   int      // of the open element; 0 outside the root
	scope   xmlScope // of the open element
	err     error
}

// xmlScope is the prefixes that names in an element may have.
type xmlScope []xmlBinding

// xmlBinding is a prefix, which an element at some depth declares.
type xmlBinding struct {
	depth             int
	prefix, namespace string
}

func newXMLReader(document []byte) *xmlReader {
	return &xmlReader{decoder: xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(document, []byte("\ufeff"))))}
}

// fail ends the reading.
func (r *xmlReader) fail(problem string) {
	if r.err == nil {
		r.err = errors.New(problem)
	}
}

// child returns the next child of the open element, and opens it. Without another one it
// closes the open element and returns false.
func (r *xmlReader) child() (xml.StartElement, bool) {
	for {
		switch token := r.token().(type) {
		case xml.StartElement:
			return token, true
		case xml.CharData:
			if len(bytes.TrimLeft(token, xmlSpace)) > 0 {
				r.fail("text beside elements")
			}
		case xml.EndElement, nil:
			return xml.StartElement{}, false
		}
	}
}

// skip closes the open element, whatever it holds.
func (r *xmlReader) skip() {
	for outside := r.depth - 1; r.err == nil && r.depth > outside; {
		r.token()
	}
}

// xmlContent is the content of an element.
type xmlContent struct {
	text  []byte
	plain bool // there are no elements in it
	null  bool // xsi:nil
}

// content reads the content of an element that was opened, and closes it.
func (r *xmlReader) content(of xml.StartElement) xmlContent {
	c := xmlContent{plain: true, null: isTrue(attribute(of, instanceNamespace, "nil"))}
	for {
		switch token := r.token().(type) {
		case xml.CharData:
			c.text = append(c.text, token...)
		case xml.StartElement:
			c.plain = false
			r.skip()
		case xml.EndElement, nil:
			c.plain = c.plain && (!c.null || len(c.text) == 0)
			return c
		}
	}
}

// finished reports whether the document was read to its end, without an error.
func (r *xmlReader) finished() bool {
	_, more := r.child()
	return !more && errors.Is(r.err, io.EOF)
}

// token returns the next token that matters, nil after the last or an error.
func (r *xmlReader) token() xml.Token {
	for r.err == nil {
		token, err := r.decoder.Token()
		if err != nil {
			r.err = err
			return nil
		}
		first := !r.begun
		r.begun = true
		switch token := token.(type) {
		case xml.StartElement:
			r.open(token)
		case xml.EndElement:
			r.close()
		case xml.CharData:
		case xml.Comment:
			continue
		case xml.ProcInst:
			if !first || token.Target != "xml" {
				r.fail("a processing instruction")
			}
			continue
		default:
			r.fail("a document type")
			return nil
		}
		if r.err == nil {
			return token
		}
	}
	return nil
}

func (r *xmlReader) open(element xml.StartElement) {
	r.depth++
	if r.depth > maxDepth || len(element.Attr) > maxAttributes {
		r.fail("elements too deep, or too many attributes")
		return
	}
	for i, a := range element.Attr {
		for _, other := range element.Attr[:i] {
			if other.Name == a.Name {
				r.fail("an attribute twice")
			}
		}
		switch {
		case a.Name.Space == "xmlns":
			r.scope = append(r.scope, xmlBinding{r.depth, a.Name.Local, a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			r.scope = append(r.scope, xmlBinding{r.depth, "", a.Value})
		}
	}
}

func (r *xmlReader) close() {
	for n := len(r.scope); n > 0 && r.scope[n-1].depth == r.depth; n-- {
		r.scope = r.scope[:n-1]
	}
	r.depth--
}

// resolve returns the name that a text stands for. Its namespace is empty where the
// prefix is unknown.
func (s xmlScope) resolve(text string) xml.Name {
	prefix, local, prefixed := strings.Cut(strings.Trim(text, xmlSpace), ":")
	if !prefixed {
		prefix, local = "", prefix
	}
	for _, binding := range slices.Backward(s) {
		if binding.prefix == prefix {
			return xml.Name{Space: binding.namespace, Local: local}
		}
	}
	return xml.Name{Local: local}
}

// attribute returns the value of an attribute; empty if there is none.
func attribute(of xml.StartElement, namespace, name string) string {
	for _, a := range of.Attr {
		if a.Name.Space == namespace && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// isTrue reports whether a text is xs:boolean's true.
func isTrue(text string) bool {
	text = strings.Trim(text, xmlSpace)
	return text == "true" || text == "1"
}
