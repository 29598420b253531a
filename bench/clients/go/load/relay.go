package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

const service = "/arrow.flight.protocol.FlightService/"

// relayArgs: raw HTTP/2 calls of the Flight service, without gRPC's or Arrow's cost in the client.
type relayArgs struct {
	Target     target `json:"target"`
	Messages   int    `json:"messages"`
	Streams    int    `json:"streams"`
	Calls      int    `json:"calls"`
	Concurrent int    `json:"concurrent"`
}

type caller struct {
	client *http.Client
	base   string
	header http.Header
}

func newCaller(t target) (*caller, error) {
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	header := http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
	for name, value := range t.Headers {
		header.Set(name, value)
	}
	transport := &http2.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true}
	return &caller{client: &http.Client{Transport: transport}, base: strings.Replace(t.URI, "grpc+tls://", "https://", 1), header: header}, nil
}

// call sends one message and reads the answer to its end; the bytes of the answer's body.
func (c *caller) call(method string, message []byte, messages int) (int64, error) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+service+method, bytes.NewReader(message))
	if err != nil {
		return 0, err
	}
	call.Header = c.header.Clone()
	if messages > 0 {
		call.Header.Set("x-bench-messages", strconv.Itoa(messages))
	}
	answer, err := c.client.Do(call)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	read, err := io.CopyBuffer(io.Discard, onlyReader{answer.Body}, make([]byte, 256<<10))
	if err != nil {
		return read, err
	}
	for _, from := range []http.Header{answer.Header, answer.Trailer} {
		if status := from.Get("grpc-status"); status != "" && status != "0" {
			return read, fmt.Errorf("%s: grpc-status %s: %s", method, status, from.Get("grpc-message"))
		}
	}
	if answer.StatusCode != http.StatusOK || answer.Trailer.Get("grpc-status") != "0" {
		return read, fmt.Errorf("%s: HTTP status %d without a gRPC status", method, answer.StatusCode)
	}
	return read, nil
}

// onlyReader keeps io.Copy from finding a faster way that allocates.
type onlyReader struct{ io.Reader }

func stream(raw json.RawMessage) (map[string]any, error) {
	args, c, err := relayCaller(raw)
	if err != nil {
		return nil, err
	}
	defer c.client.CloseIdleConnections()
	// Ticket{ticket: "bench"}: no handle, so any worker will do.
	ticket := framed([]byte("\x0a\x05bench"))
	if _, err := c.call("DoGet", ticket, 1); err != nil {
		return nil, err
	}
	var total atomic.Int64
	started := time.Now()
	err = concurrently(args.Streams, func(int) error {
		read, err := c.call("DoGet", ticket, args.Messages)
		total.Add(read)
		return err
	})
	if err != nil {
		return nil, err
	}
	if want := int64(args.Streams) * int64(args.Messages) * (1<<20 + 5); total.Load() != want {
		return nil, fmt.Errorf("%d bytes came instead of %d", total.Load(), want)
	}
	return map[string]any{"seconds": time.Since(started).Seconds(), "bytes": total.Load()}, nil
}

func unary(raw json.RawMessage) (map[string]any, error) {
	args, c, err := relayCaller(raw)
	if err != nil {
		return nil, err
	}
	defer c.client.CloseIdleConnections()
	// FlightDescriptor{type: CMD, cmd: "bench"}
	descriptor := framed([]byte("\x08\x02\x12\x05bench"))
	if _, err := c.call("GetFlightInfo", descriptor, 0); err != nil {
		return nil, err
	}
	latencies := make([][]float64, args.Concurrent)
	var left atomic.Int64
	left.Store(int64(args.Calls))
	started := time.Now()
	err = concurrently(args.Concurrent, func(lane int) error {
		for left.Add(-1) >= 0 {
			at := time.Now()
			if _, err := c.call("GetFlightInfo", descriptor, 0); err != nil {
				return err
			}
			latencies[lane] = append(latencies[lane], time.Since(at).Seconds()*1000)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	answer := percentiles(slices.Concat(latencies...))
	answer["seconds"] = time.Since(started).Seconds()
	answer["calls"] = args.Calls
	return answer, nil
}

func relayCaller(raw json.RawMessage) (relayArgs, *caller, error) {
	var args relayArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return args, nil, err
	}
	c, err := newCaller(args.Target)
	return args, c, err
}

func framed(message []byte) []byte {
	frame := make([]byte, 5, 5+len(message))
	binary.BigEndian.PutUint32(frame[1:], uint32(len(message)))
	return append(frame, message...)
}

// concurrently runs the work in so many goroutines and answers the first failure.
func concurrently(lanes int, work func(lane int) error) error {
	var group sync.WaitGroup
	failures := make(chan error, lanes)
	for lane := range lanes {
		group.Go(func() {
			if err := work(lane); err != nil {
				failures <- err
			}
		})
	}
	group.Wait()
	close(failures)
	return <-failures
}

func percentiles(milliseconds []float64) map[string]any {
	if len(milliseconds) == 0 {
		return map[string]any{}
	}
	slices.Sort(milliseconds)
	at := func(share float64) float64 {
		return milliseconds[min(len(milliseconds)-1, int(share*float64(len(milliseconds))))]
	}
	return map[string]any{"p50Ms": at(0.5), "p99Ms": at(0.99)}
}
