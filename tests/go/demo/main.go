// SPDX-License-Identifier: BSD-2-Clause

// Demo is a small service that works, and is wasteful: an order book that keeps itself fresh, batch by
// batch, in the ways such services are often written. It's here to be looked at with gallop:
//
//   - Index.Rebuild makes its map again for each batch, without a hint, and grows it step by step;
//   - Pending.Drain empties a map with a delete loop, where one clear would do, and it stays as large
//     as its largest batch;
//   - orderKey formats a key with fmt.Sprintf for each lookup;
//   - encodeOrder grows a fresh buffer for each order, where a pool would do;
//   - Journal.Write turns bytes into a string and back.
//
// It prints one line when it is ready, and runs until it is killed.
package main

import (
	"fmt"
	"strconv"
	"time"
)

const (
	batchSize = 120
	batchTime = 40 * time.Millisecond
	customers = 40
)

type Item struct {
	SKU      string
	Quantity int
	Cents    int64
}

type Order struct {
	ID       int
	Customer int
	Items    []Item
	Note     *string
}

// An Index finds orders by their key.
type Index struct {
	byKey map[string]*Order
}

// Pending are the orders that are not yet written to the journal.
type Pending struct {
	byID map[int]*Order
}

// A Journal remembers the last lines that were written.
type Journal struct {
	lines [64]string
	next  int
	bytes int
}

type Service struct {
	index   Index
	pending Pending
	journal Journal
	nextID  int
}

// Receive takes the orders of one batch.
func (s *Service) Receive(n int) []*Order {
	var orders []*Order
	for i := 0; i < n; i++ {
		orders = append(orders, newOrder(s.nextID))
		s.nextID++
	}
	return orders
}

func newOrder(id int) *Order {
	o := &Order{ID: id, Customer: id % customers}
	for n := 0; n <= id%4; n++ {
		o.Items = append(o.Items, Item{SKU: "sku-" + strconv.Itoa(id*7+n), Quantity: n + 1, Cents: int64(id%90) * 100})
	}
	return o
}

func orderKey(o *Order) string {
	return fmt.Sprintf("customer/%04d/order/%08d", o.Customer, o.ID)
}

// Rebuild replaces the index.
func (x *Index) Rebuild(orders []*Order) {
	x.byKey = make(map[string]*Order)
	for _, o := range orders {
		x.byKey[orderKey(o)] = o
	}
}

func (x *Index) Lookup(o *Order) *Order { return x.byKey[orderKey(o)] }

func (p *Pending) Add(o *Order) {
	if p.byID == nil {
		p.byID = make(map[int]*Order)
	}
	p.byID[o.ID] = o
}

// Drain writes out what is pending and forgets it.
func (p *Pending) Drain(j *Journal) {
	for id, o := range p.byID {
		j.Write(encodeOrder(o))
		delete(p.byID, id)
	}
}

func encodeOrder(o *Order) []byte {
	var buf []byte
	buf = append(buf, "order="...)
	buf = strconv.AppendInt(buf, int64(o.ID), 10)
	for _, item := range o.Items {
		buf = append(buf, ";sku="...)
		buf = append(buf, item.SKU...)
		buf = append(buf, ",cents="...)
		buf = strconv.AppendInt(buf, item.Cents, 10)
	}
	return buf
}

// Write keeps a line, without the spaces it may have.
func (j *Journal) Write(record []byte) {
	line := string(record)
	trimmed := []byte(line)
	for len(trimmed) > 0 && trimmed[0] == ' ' {
		trimmed = trimmed[1:]
	}
	j.lines[j.next%len(j.lines)] = string(trimmed)
	j.next++
	j.bytes += len(trimmed)
}

// Batch is the life of one batch of orders.
func (s *Service) Batch(n int) {
	orders := s.Receive(n)
	s.index.Rebuild(orders)
	for _, o := range orders {
		if found := s.index.Lookup(o); found != nil {
			s.pending.Add(found)
		}
	}
	s.pending.Drain(&s.journal)
}

func main() {
	s := &Service{}
	fmt.Println("ready")
	for tick := time.NewTicker(batchTime); ; <-tick.C {
		s.Batch(batchSize)
	}
}
