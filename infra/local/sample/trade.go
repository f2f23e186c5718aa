package main

import "strconv"

func (s *set) saleFile() work {
	t := &table{name: "sales_data", keys: []string{"sale_id"}, columns: []column{
		{name: "sale_id", kind: integer, required: true},
		{name: "client_id", kind: integer, required: true, unlimited: true},
		{name: "product_id", kind: integer, required: true},
		{name: "store_id", kind: integer, required: true},
		{name: "quantity", kind: integer, required: true},
		{name: "unit_price", kind: number, required: true},
		{name: "amount", kind: number, required: true},
		{name: "sale_date", kind: date, required: true},
		{name: "channel", required: true, words: channels()},
	}}
	faults := []fault{
		wrong("sale_id", "exclusiveMinimum", "0", "-3"),
		wrong("quantity", "minimum", "0", "-2"),
		wrong("unit_price", "minimum", "-0.01", "-12", "-1e-9"),
		wrong("amount", "minimum", "-0.01", "-12"),
		orphan("client_id"), orphan("product_id"), orphan("store_id"),
		wrong("client_id", "foreignKey", hugeKey+hugeKey),
		cascade("client_id", "client_data"), cascade("product_id", "product_data"), cascade("store_id", "store_data"),
		amountOff("3", "10.00", "30.01", "29.99", "30.001", "3000", "3e2"),
		amountOff("1", "0.125", "0.12", "0.125"), // half up: 0.13
		amountOff("7", "0.005", "0.03", "0.035"), // 0.04
		amountOff("1", "12345678901234567890.014", "12345678901234567890.02", "12345678901234567890"),
		later("sale_date"),
	}
	return work{table: t, count: s.saleCount(), extra: faults, spare: s.sale, each: func(ordinal int64, r *row, emit func()) {
		s.sale(r, s.saleID(ordinal))
		emit()
	}}
}

func channels() []string { return []string{"magasin", "web", "telephone"} }

// amountOff makes a sale whose amount is not quantity times price.
func amountOff(quantity, price string, amounts ...string) fault {
	return fault{plant: func(g *garden) {
		r := g.spare()
		r.set(g.column("quantity"), quantity)
		r.set(g.column("unit_price"), price)
		r.set(g.column("amount"), anyOf(&g.dice, amounts))
		g.spoil("amount", "amount_equals_product", "record")
	}}
}

// saleCount is how many sales there are: three a client.
func (s *set) saleCount() int64 {
	if s.even {
		return s.rows
	}
	return 3 * s.rows
}

// paidSales is how many sales may have payments.
func (s *set) paidSales() int64 {
	if s.paid > 0 {
		return min(s.paid, s.saleCount())
	}
	return s.saleCount()
}

// returns is how many returns there are: of three sales in a hundred.
func (s *set) returns() int64 {
	if s.even {
		return s.rows
	}
	return max(1, s.paidSales()*3/100)
}

// saleID returns the key of a sale by its place in the file: the day's own, then
// one in a hundred of the history's, corrected.
func (s *set) saleID(ordinal int64) int64 {
	corrected := int64(0)
	if s.history > 0 {
		corrected = min(s.saleCount()/100, 3*s.history)
	}
	fresh := s.saleCount() - corrected
	if ordinal < fresh {
		return s.base + 1 + ordinal
	}
	return spread(ordinal-fresh, corrected, 3*s.history)
}

// quantity returns how many pieces a sale has, whenever it is asked.
func (s *set) quantity(sale int64) int64 {
	d := s.dice(topicQuantity, sale)
	switch {
	case d.chance(5):
		return 1 + d.low(100_000)
	case d.chance(200):
		return 1 + d.low(60)
	default:
		return 1 + d.low(5)
	}
}

// unitPrice returns the price of a piece in a sale, in ten-thousandths: the
// product's, or less for one in ten, or nothing for a gift.
func (s *set) unitPrice(sale, product int64) int64 {
	d := s.dice(topicQuantity, -sale)
	price := s.price(product)
	switch {
	case d.chance(100):
		return price * (50 + d.below(50)) / 100
	case d.chance(5):
		return 0
	default:
		return price
	}
}

// saleProduct returns the product of a sale.
func (s *set) saleProduct(sale int64) int64 {
	d := s.dice(topicSale, -sale)
	return 1 + d.low(s.products)
}

// cents returns a sale's amount: quantity times price, rounded half up.
func (s *set) cents(sale int64) int64 {
	return (s.quantity(sale)*s.unitPrice(sale, s.saleProduct(sale)) + 50) / 100
}

// saleDay returns when a sale was made: in a history the keys follow the time,
// over two years; on a day most are of today, a few came late.
func (s *set) saleDay(sale int64, d *dice) int64 {
	switch {
	case s.mode == modeDaily && d.chance(950):
		return s.day
	case s.mode == modeDaily:
		return s.day - 1 - d.low(10)
	case sale > s.saleCount():
		return s.day - d.low(700)
	default:
		return s.day - (s.saleCount()-sale)*730/s.saleCount() - d.low(3)
	}
}

func (s *set) sale(r *row, id int64) {
	d := s.dice(topicSale, id)
	product := s.saleProduct(id)
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], id, 10)
	r.fields[1] = appendClientID(r.fields[1][:0], s.anyClient(&d))
	r.fields[2] = strconv.AppendInt(r.fields[2][:0], product, 10)
	r.fields[3] = strconv.AppendInt(r.fields[3][:0], 1+d.low(s.stores), 10)
	r.fields[4] = strconv.AppendInt(r.fields[4][:0], s.quantity(id), 10)
	r.fields[5] = appendPrice(r.fields[5][:0], s.unitPrice(id, product))
	cents := s.cents(id)
	r.fields[6] = appendCents(r.fields[6][:0], cents)
	r.fields[7] = appendDate(r.fields[7][:0], s.saleDay(id, &d))
	r.set(8, of(&d, channels()))
	if d.chance(3) {
		otherForms(r, &d, cents)
	}
}

// otherForms writes some values in forms that the standard allows and few expect.
func otherForms(r *row, d *dice, cents int64) {
	switch d.below(5) {
	case 0:
		r.set(1, "+"+string(r.fields[1]))
	case 1:
		r.set(1, "000"+string(r.fields[1]))
	case 2:
		r.set(4, "+0"+string(r.fields[4]))
	case 3:
		r.set(6, strconv.FormatInt(cents, 10)+"e-2")
	case 4:
		r.set(6, string(r.fields[6])+"000")
	}
}

func appendCents(b []byte, cents int64) []byte {
	b = strconv.AppendInt(b, cents/100, 10)
	b = append(b, '.')
	return appendPadded(b, cents%100, 2)
}

func methods() []string { return []string{"carte", "especes", "virement", "cheque"} }

func (s *set) paymentFile() work {
	t := &table{name: "payment_data", keys: []string{"payment_id"}, columns: []column{
		{name: "payment_id", kind: integer, required: true},
		{name: "sale_id", kind: integer, required: true},
		{name: "amount", kind: number, required: true},
		{name: "method", required: true, words: methods()},
		{name: "iban"},
		{name: "paid_at", kind: moment, required: true},
	}}
	faults := []fault{
		wrong("payment_id", "exclusiveMinimum", "0", "-3"),
		wrong("amount", "exclusiveMinimum", "0", "0.00", "-0.01", "-1e3", "0e7"),
		orphan("sale_id"), cascade("sale_id", "sales_data"),
		wrong("iban", "iban_valid", "FR7630006000011234567890188", "DE89370400440532013001", "GB29NWBK60161331926818"), // check digits
		wrong("iban", "iban_valid", "fr7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189", "7630006000011234567890189",
			"FR76-30006000011234567890189", "FRAB30006000011234567890189", "FR76", "FR7630006000011234567890189300060000112345"),
		{plant: func(g *garden) {
			r := g.spare()
			r.set(g.column("method"), "virement")
			r.set(g.column("iban"), "")
			g.spoil("iban", "iban_required", "record")
		}},
	}
	return work{table: t, count: s.paidSales(), extra: faults, each: s.payments, spare: s.sparePayment}
}

// payments makes the payments of a sale: mostly one, of the whole; sometimes
// none; rarely two, the second of what the first left.
func (s *set) payments(ordinal int64, r *row, emit func()) {
	sale := s.saleID(ordinal)
	if sale <= s.base && !s.even { // corrected: it was paid long ago
		return
	}
	d := s.dice(topicPayment, sale)
	cents := s.cents(sale)
	switch n := d.below(100); {
	case s.even:
		s.payment(r, &d, 2*sale, sale, max(1, cents))
		emit()
	case n < 12 || cents == 0:
	case n < 98 || cents == 1:
		s.payment(r, &d, 2*sale, sale, cents)
		emit()
	default:
		first := 1 + d.below(cents-1)
		s.payment(r, &d, 2*sale, sale, first)
		emit()
		r.reset()
		s.payment(r, &d, 2*sale+1, sale, cents-first)
		emit()
	}
}

func (s *set) payment(r *row, d *dice, id, sale, cents int64) {
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], id, 10)
	r.fields[1] = strconv.AppendInt(r.fields[1][:0], sale, 10)
	r.fields[2] = appendCents(r.fields[2][:0], cents)
	method := of(d, methods())
	r.set(3, method)
	if method == "virement" || d.chance(30) {
		r.fields[4] = appendIBAN(r.fields[4][:0], d)
	}
	r.fields[5] = appendMoment(r.fields[5][:0], d, min(s.day, s.saleDay(sale, d)+d.low(5)))
}

// sparePayment pays for a sale of this set.
func (s *set) sparePayment(r *row, id int64) {
	d := s.dice(topicPayment, -id)
	s.payment(r, &d, 2*id, s.saleID(d.below(s.saleCount())), 1+d.low(100_000))
}

func (s *set) returnFile() work {
	t := &table{name: "return_data", keys: []string{"return_id"}, columns: []column{
		{name: "return_id", kind: integer, required: true},
		{name: "sale_id", kind: integer, required: true},
		{name: "quantity", kind: integer, required: true},
		{name: "reason", required: true, words: reasons()},
		{name: "returned_on", kind: date, required: true},
	}}
	faults := []fault{
		wrong("return_id", "exclusiveMinimum", "0", "-3"),
		wrong("quantity", "minimum", "0", "-2"),
		orphan("sale_id"), cascade("sale_id", "sales_data"),
		{plant: func(g *garden) { // more than was sold
			r := g.spare()
			sold := g.set.quantity(mustInt(r.fields[1]))
			r.set(g.column("quantity"), strconv.FormatInt(sold+1+g.dice.low(50), 10))
			g.spoil("quantity", "quantity_at_most_sold", "record")
		}},
		{plant: func(g *garden) { // more than is left of it
			r := g.spare()
			sale := g.column("sale_id")
			r.set(sale, string(g.earlier.fields[sale]))
			r.set(g.column("quantity"), strconv.FormatInt(g.set.quantity(mustInt(r.fields[sale])), 10))
			g.spoil("quantity", "quantity_at_most_sold", "record")
		}},
	}
	return work{table: t, count: s.returns(), extra: faults, spare: s.spareReturn, each: func(ordinal int64, r *row, emit func()) {
		s.returned(r, ordinal)
		emit()
	}}
}

// mustInt reads an integer that this program wrote.
func mustInt(text []byte) int64 {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func reasons() []string { return []string{"retractation", "defaut", "autre", "erreur"} }

// returned makes the sound return of an ordinal: of a sale of this set, or after a
// history mostly of its sales. No sale is returned twice, as what is returned
// together must not be more than was sold.
func (s *set) returned(r *row, ordinal int64) {
	s.returnOf(r, s.base+1+ordinal, s.returnedSale(ordinal))
}

// returnedSale returns the sale of a return. Of the history's sales, those whose
// key has the remainder 0 by 16 are returned in the history itself, and each day
// has a remainder of its own.
func (s *set) returnedSale(ordinal int64) int64 {
	const apart = 16
	n := s.returns()
	switch old := 3 * s.history / apart; {
	case s.mode == modeDaily && ordinal%5 != 0 && n < old:
		return apart*(spread(ordinal, n, old-1)-1) + 1 + s.day%(apart-1)
	case s.mode != modeDaily && n <= s.saleCount()/apart:
		return apart * spread(ordinal, n, s.saleCount()/apart)
	default:
		return s.saleID(spread(ordinal, n, s.saleCount()) - 1)
	}
}

// spareReturn makes a return of any sale of this set.
func (s *set) spareReturn(r *row, id int64) {
	d := s.dice(topicReturn, -id)
	s.returnOf(r, id, s.saleID(d.below(s.saleCount())))
}

func (s *set) returnOf(r *row, id, sale int64) {
	d := s.dice(topicReturn, id)
	r.fields[0] = strconv.AppendInt(r.fields[0][:0], id, 10)
	r.fields[1] = strconv.AppendInt(r.fields[1][:0], sale, 10)
	r.fields[2] = strconv.AppendInt(r.fields[2][:0], 1+d.low(s.quantity(sale)), 10)
	r.set(3, of(&d, reasons()))
	r.fields[4] = appendDate(r.fields[4][:0], min(s.day, s.saleDay(sale, &d)+1+d.low(20)))
}
