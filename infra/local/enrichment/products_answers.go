package main

import (
	"encoding/binary"
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
)

// brand is one of four, or none.
func (d digest) brand() string {
	return [...]string{"Lumière & Fils", "Atelier <Été>", "Nord", "Saveurs d'ici", ""}[d[1]%5]
}

// weight is that of a product in grams.
func (d digest) weight() int { return int(binary.BigEndian.Uint16(d[24:])) }

// score is one of five, or none.
func (d digest) eco() string { return [...]string{"A", "B", "C", "D", "E", ""}[d[2]%6] }

// bomb is a document type whose entity expands to a gigabyte.
func bomb() string {
	var out strings.Builder
	out.WriteString(`<!DOCTYPE bomb [<!ENTITY b0 "Nord">`)
	for i := 1; i < 10; i++ {
		of := "&b" + strconv.Itoa(i-1) + ";"
		out.WriteString("<!ENTITY b" + strconv.Itoa(i) + ` "` + strings.Repeat(of, 10) + `">`)
	}
	out.WriteString("]>")
	return out.String()
}

// response is the message that answers an operation, as the mode has it.
func (v soapVersion) response(operation, mode string, keys []string, digests []digest) string {
	namespace := productsNamespace
	if mode == "namespace" {
		namespace += ":other"
	}
	var out strings.Builder
	out.WriteString("<p:" + operation + `Response xmlns:p="` + namespace + `" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`)
	for n, i := range resultOrder(len(keys), mode) {
		own := mode
		if n > 0 && spoils(mode) {
			own = "ok"
		}
		writeProduct(&out, keys[i], digests[i], own)
	}
	out.WriteString("</p:" + operation + "Response>")
	message := v.message(out.String())
	if mode == "bomb" {
		declaration, envelope, _ := strings.Cut(message, "?>")
		message = declaration + "?>" + bomb() + envelope
	}
	return message
}

// writeProduct writes the result for a key. A mode that is a fault of one result spoils
// it, and makes it one of a known key.
func writeProduct(out *strings.Builder, key string, d digest, mode string) {
	out.WriteString("<p:result>")
	element(out, "key", key)
	if !d.found() && !spoils(mode) && mode != "bomb" {
		out.WriteString("<p:found>false</p:found>")
	} else {
		brand, weight, eco := d.brand(), strconv.Itoa(d.weight()), d.eco()
		switch mode {
		case "bad_record":
			weight = "lourd"
		case "out_of_range":
			eco = "F"
		case "huge_number":
			weight = "1e999999999"
		}
		out.WriteString("<p:found>true</p:found><p:values>")
		if mode == "bomb" {
			out.WriteString("<p:brand>&b9;</p:brand>")
		} else {
			element(out, "brand", brand)
		}
		element(out, "weight_g", weight)
		element(out, "eco_score", eco)
		if mode == "duplicate_members" {
			element(out, "brand", "Nord")
		}
		out.WriteString("</p:values>")
	}
	if mode == "unknown_members" {
		out.WriteString("<p:internal_id>7</p:internal_id><details><p:brand>x</p:brand></details>")
	}
	out.WriteString("</p:result>")
}

// element writes a value; one that there is not is nil.
func element(out *strings.Builder, name, text string) {
	if text == "" {
		out.WriteString("<p:" + name + ` xsi:nil="true"/>`)
		return
	}
	out.WriteString("<p:" + name + ">")
	_ = xml.EscapeText(out, []byte(text)) // a builder takes all
	out.WriteString("</p:" + name + ">")
}

// resultOrder is which results of n keys a list has, as the mode has it.
func resultOrder(n int, mode string) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	switch mode {
	case "half":
		order = order[:n/2]
	case "reordered":
		slices.Reverse(order)
	case "doubled":
		order = append(order, order...)
		slices.Sort(order)
	}
	return order
}
