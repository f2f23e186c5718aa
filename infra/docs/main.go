// Command docs generates the documents that follow from the project's own files:
// the data dictionary, the source-to-target mapping, the rules of validation and
// transformation and the events from the contract, the diagrams of the state machine and of
// the tables, and the table of the template's parameters.
//
//	go run ./infra/docs           writes what changed
//	go run ./infra/docs -check    writes nothing; fails if a document is stale, or if a
//	                              document written by hand breaks a rule of the house
//	go run ./infra/docs -figures  counts the code again for docs/house.md, which -check
//	                              leaves alone, as every change of code would make it stale
//
// The documents in French are generated as a whole. Elsewhere a generated part
// is between two comments, and everything around them is written by hand:
//
//	<!-- begin generated: NAME -->
//	<!-- end generated: NAME -->
//
// The same files always give the same documents, byte for byte.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"etl-dataloader/internal/contract"
)

func main() {
	check := flag.Bool("check", false, "compare only, and fail if a document is stale")
	figures := flag.Bool("figures", false, "count the code again for docs/"+fileHouse)
	root := flag.String("root", ".", "the project's folder")
	flag.Parse()
	if err := command(*root, *check, *figures); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// command does what the flags ask for.
func command(root string, check, figures bool) error {
	if figures {
		return writeFigures(root)
	}
	s, err := load(root)
	if err != nil {
		return err
	}
	if err := run(s, root, check, os.Stdout); err != nil || !check {
		return err
	}
	return checkDocuments(root)
}

// document is a file with generated content: all of it (whole), or parts of it.
type document struct {
	path  string
	whole func(*source) string
	parts map[string]func(*source) string // by name of the part
}

// documents returns the generated documents.
func documents() []document {
	return []document{
		{path: "docs/" + fileDictionary, whole: dictionary},
		{path: "docs/" + fileMapping, whole: mapping},
		{path: "docs/" + fileRules, whole: validationRules},
		{path: "docs/" + fileTransformations, whole: transformations},
		{path: "docs/" + fileEvents, whole: events},
		{path: "docs/diagrams.md", parts: map[string]func(*source) string{"states": statesPart, "tables": tablesPart}},
		{path: "docs/" + fileHouse, parts: map[string]func(*source) string{"imports": importsPart}},
		{path: "docs/deploy.md", parts: map[string]func(*source) string{"parameters": parametersPart}},
	}
}

// source holds the input of the documents.
type source struct {
	contract   *contract.Package
	machine    *level
	parameters []parameterGroup
	imports    importGraph
}

// load reads the project's files under root.
func load(root string) (*source, error) {
	pkg, err := contract.Load()
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	machine, err := loadMachine(filepath.Join(root, "statemachine", "import.asl.json"))
	if err != nil {
		return nil, err
	}
	parameters, err := loadParameters(filepath.Join(root, "template.yaml"))
	if err != nil {
		return nil, err
	}
	imports, err := loadImports(root)
	if err != nil {
		return nil, err
	}
	return &source{contract: pkg, machine: machine, parameters: parameters, imports: imports}, nil
}

// run writes the documents under root, or only compares them.
func run(s *source, root string, check bool, out io.Writer) error {
	var stale []string
	for _, d := range documents() {
		file := filepath.Join(root, filepath.FromSlash(d.path))
		old, err := os.ReadFile(file) //nolint:gosec // a fixed list of the project's own files
		if err != nil && (d.whole == nil || !os.IsNotExist(err)) {
			return fmt.Errorf("read %s: %w", d.path, err)
		}
		text, err := d.render(s, string(old))
		if err != nil {
			return fmt.Errorf("%s: %w", d.path, err)
		}
		if text == string(old) {
			continue
		}
		if check {
			stale = append(stale, d.path)
			continue
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // documents are for everybody
			return fmt.Errorf("write %s: %w", d.path, err)
		}
		_, _ = fmt.Fprintln(out, "wrote", d.path)
	}
	if len(stale) > 0 {
		return fmt.Errorf("stale, run `make docs`: %s", strings.Join(stale, ", "))
	}
	return nil
}

// writeFigures counts the code under root and puts the figures into their document.
func writeFigures(root string) error {
	file := filepath.Join(root, "docs", fileHouse)
	text, err := os.ReadFile(file) //nolint:gosec // the project's own document
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	part, err := figuresPart(root)
	if err != nil {
		return err
	}
	document, err := replacePart(string(text), "figures", part)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(document), 0o644) //nolint:gosec // documents are for everybody
}

// checkDocuments fails if a document written by hand breaks a rule of the house.
func checkDocuments(root string) error {
	long, err := longLines(root)
	if err != nil {
		return err
	}
	if len(long) > 0 {
		return fmt.Errorf("prose of more than %d characters a line, wrap it at %d: %s", maxColumn, wrapColumn, strings.Join(long, ", "))
	}
	broken, err := brokenLinks(root)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return fmt.Errorf("links that lead nowhere: %s", strings.Join(broken, ", "))
	}
	if err := checkChanges(root); err != nil {
		return err
	}
	return checkDependencies(root)
}

// render returns the document's new text.
func (d document) render(s *source, old string) (string, error) {
	if d.whole != nil {
		return wrap(d.whole(s)), nil
	}
	text := old
	for name, generate := range d.parts {
		var err error
		if text, err = replacePart(text, name, generate(s)); err != nil {
			return "", err
		}
	}
	return text, nil
}

// replacePart replaces the content between the two comments of a part.
func replacePart(text, name, content string) (string, error) {
	begin, end := "<!-- begin generated: "+name+" -->\n", "<!-- end generated: "+name+" -->\n"
	if strings.Count(text, begin) != 1 || strings.Count(text, end) != 1 {
		return "", fmt.Errorf("the comments of the generated part %q must stand there once each", name)
	}
	head, rest, _ := strings.Cut(text, begin)
	_, tail, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("the generated part %q ends before it begins", name)
	}
	return head + begin + content + end + tail, nil
}
