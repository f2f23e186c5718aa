package main

import "strconv"

// currencies are those of the contract, the frequent one first.
func currencies() []string { return []string{"EUR", "USD", "CHF", "GBP"} }

func (s *set) supplierFile() work {
	t := &table{name: "supplier_data", keys: []string{"supplier_id"}, columns: []column{
		{name: "supplier_id", kind: integer, required: true},
		{name: "name", required: true, longest: 120},
		{name: "contact_email", required: true},
		{name: "vat_number", longest: 20},
	}}
	faults := []fault{
		wrong("supplier_id", "exclusiveMinimum", "0", "-3"),
		wrong("contact_email", "format", "contact", "contact@", "contact@@exemple.fr", "con tact@exemple.fr", "contact@exemple"),
	}
	return work{table: t, count: s.suppliers, extra: faults, each: single(s.supplier), spare: s.supplier}
}

// single makes one record an ordinal, whose key is the ordinal plus one.
func single(make func(*row, int64)) func(int64, *row, func()) {
	return func(ordinal int64, r *row, emit func()) {
		make(r, ordinal+1)
		emit()
	}
}

func (s *set) supplier(r *row, id int64) {
	d := s.dice(topicSupplier, id)
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], id, 10)
	r.set(1, of(&d, s.words.firms))
	r.fields[1] = append(r.fields[1], " n° "...)
	r.fields[1] = strconv.AppendInt(r.fields[1], id, 10)
	r.set(2, "contact")
	r.fields[2] = strconv.AppendInt(r.fields[2], id, 10)
	r.fields[2] = append(r.fields[2], '@')
	r.fields[2] = append(r.fields[2], of(&d, s.words.hosts)...)
	if d.chance(800) {
		r.set(3, "FR")
		r.fields[3] = appendPadded(r.fields[3], d.below(100_000_000_000), 11)
	}
}

func (s *set) categoryFile() work {
	t := &table{name: "category_data", keys: []string{"category_id"}, columns: []column{
		{name: "category_id", kind: integer, required: true},
		{name: "name", required: true, longest: 80},
		{name: "parent_category_id", kind: integer},
	}}
	faults := []fault{
		wrong("category_id", "exclusiveMinimum", "0", "-3"),
		orphan("parent_category_id"),
		cascade("parent_category_id", "category_data"),
		cycle(1), cycle(2), cycle(4),
	}
	return work{table: t, count: s.categories, extra: faults, each: single(s.category), spare: s.category}
}

// cycle makes n categories that are each other's ancestors, and one below them.
func cycle(n int) fault {
	return fault{plant: func(g *garden) {
		parent := g.column("parent_category_id")
		rows := make([]row, n)
		for i := range rows {
			rows[i].copyFrom(g.spare())
		}
		for i := range rows {
			rows[i].set(parent, string(rows[(i+1)%n].fields[0]))
			g.row.copyFrom(&rows[i])
			g.spoil("parent_category_id", "cycle", "cycle")
		}
		g.spare().set(parent, string(rows[0].fields[0]))
		g.spoil("parent_category_id", "foreignKey", "cascade")
	}}
}

// category makes a tree: three categories have no parent, each other one has an
// earlier one.
func (s *set) category(r *row, id int64) {
	d := s.dice(topicCategory, id)
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], id, 10)
	r.set(1, of(&d, s.words.aisles))
	r.fields[1] = append(r.fields[1], ' ')
	r.fields[1] = strconv.AppendInt(r.fields[1], id, 10)
	if id > 3 {
		r.fields[2] = strconv.AppendInt(r.fields[2][:0], 1+d.low(min(id-1, s.categories)), 10)
	}
}

func (s *set) productFile() work {
	t := &table{name: "product_data", keys: []string{"product_id"}, columns: []column{
		{name: "product_id", kind: integer, required: true},
		{name: "name", required: true, longest: 120},
		{name: "category_id", kind: integer, required: true},
		{name: "supplier_id", kind: integer, required: true},
		{name: "unit_price", kind: number, required: true},
		{name: "currency", required: true, words: currencies()},
		{name: "active", kind: boolean, required: true},
	}}
	faults := []fault{
		wrong("product_id", "exclusiveMinimum", "0", "-3"),
		wrong("unit_price", "minimum", "-0.01", "-12", "-1e-9"),
		orphan("category_id"), orphan("supplier_id"),
		cascade("category_id", "category_data"), cascade("supplier_id", "supplier_data"),
	}
	return work{table: t, count: s.products, extra: faults, each: single(s.product), spare: s.product}
}

func (s *set) product(r *row, id int64) {
	d := s.dice(topicProduct, id)
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], id, 10)
	price := appendPrice(r.fields[4][:0], s.price(id))
	r.set(1, of(&d, s.words.goods))
	r.fields[1] = append(r.fields[1], ' ')
	r.fields[1] = append(r.fields[1], of(&d, s.words.looks)...)
	r.fields[2] = strconv.AppendInt(r.fields[2][:0], 1+d.low(s.categories), 10)
	r.fields[3] = strconv.AppendInt(r.fields[3][:0], 1+d.low(s.suppliers), 10)
	r.fields[4] = price
	r.set(5, of(&d, currencies()))
	if d.chance(930) {
		r.set(6, of(&d, s.words.lexicalTrue))
	} else {
		r.set(6, of(&d, s.words.lexicalFalse))
	}
}

// price returns a product's price in ten-thousandths of its currency: most are
// cheap, a few have fractions of a cent, a few cost millions.
func (s *set) price(product int64) int64 {
	d := s.dice(topicProduct, -product)
	switch kind := d.below(40); {
	case kind == 0:
		return 5 + d.low(2000) // 0.0005 to 0.2004
	case kind == 1 && product > 20: // the best sold are none of these
		return (100_000 + d.low(2_500_000_000)) * 10 // up to 2,500,100.000
	case kind < 4:
		return (99 + 100*d.low(500)) * 100 // 0.99, 1.99, …
	default:
		return (50 + d.low(30_000)) * 100 // 0.50 to 300.49
	}
}

// appendPrice appends an amount in ten-thousandths with two digits behind the
// point, or as many as it needs.
func appendPrice(b []byte, price int64) []byte {
	b = strconv.AppendInt(b, price/10_000, 10)
	b = append(b, '.')
	switch {
	case price%100 == 0:
		return appendPadded(b, price/100%100, 2)
	case price%10 == 0:
		return appendPadded(b, price/10%1000, 3)
	default:
		return appendPadded(b, price%10_000, 4)
	}
}

func (s *set) storeFile() work {
	t := &table{name: "store_data", keys: []string{"store_id"}, columns: []column{
		{name: "store_id", kind: integer, required: true},
		{name: "name", required: true, longest: 80},
		{name: "city", required: true},
		{name: "country", required: true, words: []string{"FR"}},
		{name: "opened_on", kind: date, required: true, earliest: "1699-12-31"},
	}}
	faults := []fault{
		wrong("store_id", "exclusiveMinimum", "0", "-3"),
		wrong("country", "enum", "XX", "UK", "FRA", "F", "EU"),
	}
	return work{table: t, count: s.stores, extra: faults, each: single(s.store), spare: s.store}
}

func (s *set) store(r *row, id int64) {
	d := s.dice(topicStore, id)
	where := of(&d, s.words.places)
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], id, 10)
	r.set(1, "Magasin ")
	r.fields[1] = append(r.fields[1], where.city...)
	r.fields[1] = append(r.fields[1], ' ')
	r.fields[1] = strconv.AppendInt(r.fields[1], id, 10)
	r.set(2, where.city)
	r.set(3, where.country)
	r.fields[4] = appendDate(r.fields[4][:0], s.day-100-d.low(18_000))
}

// stocksAProduct is in how many stores a product lies.
const stocksAProduct = 3

func (s *set) stockFile() work {
	t := &table{name: "stock_data", keys: []string{"product_id", "store_id"}, columns: []column{
		{name: "product_id", kind: integer, required: true},
		{name: "store_id", kind: integer, required: true},
		{name: "quantity", kind: integer, required: true},
		{name: "counted_at", kind: moment, required: true},
	}}
	faults := []fault{
		wrong("quantity", "minimum", "-1", "-9223372036854775808"),
		orphan("product_id"), orphan("store_id"),
		cascade("product_id", "product_data"), cascade("store_id", "store_data"),
	}
	count := stocksAProduct * s.products
	if s.even {
		count = s.rows
	}
	return work{
		table: t, count: count, extra: faults,
		each: func(ordinal int64, r *row, emit func()) {
			s.stock(r, ordinal/stocksAProduct, ordinal%stocksAProduct)
			emit()
		},
		// Planted records use the stores in which the product does not lie.
		spare: func(r *row, id int64) {
			n := id - s.reservedID(1)
			s.stock(r, n%s.products, stocksAProduct+n/s.products)
		},
	}
}

// stock makes the record of a product's nth store.
func (s *set) stock(r *row, product, nth int64) {
	d := s.dice(topicStock, product*64+nth)
	first := s.dice(topicStock, -1-product)
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], product+1, 10)
	r.fields[1] = strconv.AppendInt(r.fields[1][:0], 1+(first.below(s.stores)+nth)%s.stores, 10)
	quantity := d.low(400)
	if d.chance(10) {
		quantity = d.low(4_000_000_000)
	}
	r.fields[2] = strconv.AppendInt(r.fields[2][:0], quantity, 10)
	r.fields[3] = appendMoment(r.fields[3][:0], &d, s.day-d.low(30))
}
