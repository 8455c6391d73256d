// SPDX-License-Identifier: BSD-2-Clause

// Plainserver is an HTTP server like many, but without net/http/pprof: so the runtime takes no samples of what it
// allocates. It answers until its input ends.
//
//	plainserver HOST:PORT
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

type line struct {
	Name  string  `json:"name"`
	Price float64 `json:"price"`
}

type order struct {
	ID    int            `json:"id"`
	Lines []*line        `json:"lines"`
	Stock map[string]int `json:"stock"`
	Note  string         `json:"note"`
}

// Answer does what services do: it reads a query, fills a map, builds text and encodes JSON.
func answer(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.URL.Query().Get("id"))
	if err != nil {
		http.Error(w, "no id", http.StatusBadRequest)
		return
	}
	o := &order{ID: id, Stock: map[string]int{}}
	for i := 0; i < 10; i++ {
		name := "item " + strconv.Itoa(id*i%97)
		o.Lines = append(o.Lines, &line{Name: name, Price: float64(i) / 3})
		o.Stock[name] += i
	}
	o.Note = strings.ToUpper(fmt.Sprintf("order %d with %d lines", id, len(o.Lines)))
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(o)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: plainserver HOST:PORT")
		os.Exit(2)
	}
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	go http.Serve(l, http.HandlerFunc(answer))
	io.Copy(io.Discard, os.Stdin)
}
