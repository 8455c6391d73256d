// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// --- HTTP ------------------------------------------------------------------------------------------------------------

// Requests are written as they are: a client library would take more of the machine than the server does.
type httpClient struct {
	conn    net.Conn
	in      *bufio.Reader
	address string
	text    []byte
}

func newHTTP(conn net.Conn, address string) *httpClient {
	return &httpClient{conn: conn, in: bufio.NewReader(conn), address: address}
}

func (c *httpClient) exchange(method, path, body string) error {
	c.text = append(c.text[:0], method...)
	c.text = append(append(append(c.text, ' '), path...), " HTTP/1.1\r\nHost: "...)
	c.text = append(append(c.text, c.address...), "\r\nContent-Length: "...)
	c.text = append(strconv.AppendInt(c.text, int64(len(body)), 10), "\r\n\r\n"...)
	c.text = append(c.text, body...)
	if _, err := c.conn.Write(c.text); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, answer.Status)
	}
	return nil
}

func (c *httpClient) ask(n int) error { return c.exchange("GET", "/?id="+strconv.Itoa(n%1000), "") }

// --- etcd, by its HTTP gateway -----------------------------------------------------------------------------------------

type etcd struct {
	*httpClient
	value string
}

func newEtcd(conn net.Conn, address string) *etcd {
	return &etcd{newHTTP(conn, address), base64.StdEncoding.EncodeToString([]byte(strings.Repeat("v", 100)))}
}

// Every fourth request writes; there are 1,000 keys.
func (c *etcd) ask(n int) error {
	key := base64.StdEncoding.EncodeToString([]byte("key " + strconv.Itoa(n*7919%1000)))
	if n/8%4 == 0 {
		return c.exchange("POST", "/v3/kv/put", `{"key":"`+key+`","value":"`+c.value+`"}`)
	}
	return c.exchange("POST", "/v3/kv/range", `{"key":"`+key+`"}`)
}

// --- nats, by its text protocol ----------------------------------------------------------------------------------------

// Each client subscribes to a subject of its own and publishes to it; its message has been answered when it's back.
type nats struct {
	conn    net.Conn
	in      *bufio.Reader
	message []byte
}

func newNats(conn net.Conn, n int) (*nats, error) {
	subject := "bench." + strconv.Itoa(n)
	payload := strings.Repeat("m", 128)
	c := &nats{conn: conn, in: bufio.NewReader(conn)}
	c.message = []byte(fmt.Sprintf("PUB %s %d\r\n%s\r\n", subject, len(payload), payload))
	if _, err := fmt.Fprintf(conn, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB %s 1\r\nPING\r\n", subject); err != nil {
		return nil, err
	}
	for {
		switch line, err := c.line(); {
		case err != nil:
			return nil, err
		case line == "PONG":
			return c, nil
		}
	}
}

// A line, without its end. Whether the client lives is asked in between.
func (c *nats) line() (string, error) {
	for {
		text, err := c.in.ReadString('\n')
		if err != nil {
			return "", err
		}
		text = strings.TrimRight(text, "\r\n")
		if strings.HasPrefix(text, "-ERR") {
			return "", fmt.Errorf("nats: %s", text)
		}
		if text != "PING" {
			return text, nil
		}
		if _, err := io.WriteString(c.conn, "PONG\r\n"); err != nil {
			return "", err
		}
	}
}

func (c *nats) ask(int) error {
	if _, err := c.conn.Write(c.message); err != nil {
		return err
	}
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if !strings.HasPrefix(line, "MSG ") {
			continue
		}
		_, err = c.line()
		return err
	}
}
