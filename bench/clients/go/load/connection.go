package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

const receiveLimit = 64 << 20

// connection is one client with a TCP connection of its own.
type connection struct {
	sql *flightsql.Client
	ctx context.Context
}

func connect(t target) (*connection, error) {
	address, transport, err := transportOf(t)
	if err != nil {
		return nil, err
	}
	client, err := flightsql.NewClient(address, nil, nil, transport, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(receiveLimit)))
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	for name, value := range t.Headers {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	if t.Username != "" && t.Headers["authorization"] == "" {
		if ctx, err = client.Client.AuthenticateBasicToken(ctx, t.Username, t.Password); err != nil {
			client.Close()
			return nil, err
		}
	}
	return &connection{sql: client, ctx: ctx}, nil
}

func transportOf(t target) (string, grpc.DialOption, error) {
	address, secure := strings.CutPrefix(t.URI, "grpc+tls://")
	if !secure {
		return strings.TrimPrefix(strings.TrimPrefix(t.URI, "grpc://"), "grpc+tcp://"), grpc.WithTransportCredentials(insecure.NewCredentials()), nil
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return "", nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots})), nil
}

func (c *connection) close() { c.sql.Close() }

func (c *connection) execute(ask func(context.Context, ...grpc.CallOption) (*flight.FlightInfo, error)) (int64, error) {
	ctx, stop := withLimit(c.ctx)
	defer stop()
	found, err := ask(ctx)
	if err != nil {
		return 0, err
	}
	var rows int64
	for _, endpoint := range found.Endpoint {
		more, err := c.rowsOf(endpoint.Ticket)
		if err != nil {
			return rows, err
		}
		rows += more
	}
	return rows, nil
}

func (c *connection) rowsOf(ticket *flight.Ticket) (int64, error) {
	ctx, stop := withLimit(c.ctx)
	defer stop()
	reader, err := c.sql.DoGet(ctx, ticket)
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	var rows int64
	for reader.Next() {
		rows += reader.RecordBatch().NumRows()
	}
	return rows, reader.Err()
}

// idleArgs: so many connections that have asked once and stay open until this process ends.
type idleArgs struct {
	Target  target `json:"target"`
	Clients int    `json:"clients"`
	SQL     string `json:"sql"`
}

var idling []*connection

func idle(raw json.RawMessage) (map[string]any, error) {
	var args idleArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, err
	}
	// One sign-in for all: hundreds would take minutes of password hashing.
	first, err := connect(args.Target)
	if err != nil {
		return nil, err
	}
	idling = append(idling, first)
	for len(idling) < args.Clients {
		c, err := connect(target{URI: args.Target.URI, CAFile: args.Target.CAFile})
		if err != nil {
			return nil, err
		}
		c.ctx = first.ctx
		idling = append(idling, c)
	}
	for number, c := range idling {
		if args.Target.Protocol == "flight" {
			_, err = c.rowsOf(&flight.Ticket{Ticket: []byte(args.SQL)})
		} else {
			_, err = c.plainLookup(args.SQL)
		}
		if err != nil {
			return nil, fmt.Errorf("connection %d: %w", number, err)
		}
	}
	return map[string]any{"clients": len(idling)}, nil
}
