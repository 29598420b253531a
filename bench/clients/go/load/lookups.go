package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// lookupArgs: each client asks for a random key, one statement after the other, until the time is over.
type lookupArgs struct {
	Target   target  `json:"target"`
	Clients  int     `json:"clients"`
	Seconds  float64 `json:"seconds"`
	Prepared bool    `json:"prepared"`
	SQL      string  `json:"sql"`
	Largest  int64   `json:"largest"`
}

// keyOf: TPC-H uses 8 of every 32 order keys.
func keyOf(number int64) int64 { return number>>3<<5 | number&7 }

// lookup answers the rows of one key.
type lookup func(key int64) (int64, error)

// opened are the clients that `open` made and `lookups` uses; they stay until this process ends.
var opened []lookup

// open signs in so many clients and lets each ask once: none of that belongs to what `lookups` measures.
func open(raw json.RawMessage) (map[string]any, error) {
	var args lookupArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, err
	}
	for range args.Clients {
		c, err := connect(args.Target)
		if err != nil {
			return nil, err
		}
		next, err := c.lookup(args)
		if err != nil {
			return nil, err
		}
		if _, err := next(1); err != nil {
			return nil, err
		}
		opened = append(opened, next)
	}
	return map[string]any{"clients": len(opened)}, nil
}

func lookups(raw json.RawMessage) (map[string]any, error) {
	var args lookupArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, err
	}
	clients := opened
	if len(clients) != args.Clients {
		return nil, fmt.Errorf("%d clients are open, not %d", len(clients), args.Clients)
	}
	latencies := make([][]float64, args.Clients)
	var rows atomic.Int64
	started := time.Now()
	err := concurrently(args.Clients, func(lane int) error {
		for time.Since(started).Seconds() < args.Seconds {
			at := time.Now()
			found, err := clients[lane](keyOf(rand.Int64N(args.Largest) + 1))
			if err != nil {
				return err
			}
			rows.Add(found)
			latencies[lane] = append(latencies[lane], time.Since(at).Seconds()*1000)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	seconds := time.Since(started).Seconds()
	all := slices.Concat(latencies...)
	if rows.Load() == 0 {
		return nil, fmt.Errorf("no lookup found any row")
	}
	answer := percentiles(all)
	answer["seconds"] = seconds
	answer["lookups"] = len(all)
	answer["rows"] = rows.Load()
	return answer, nil
}

func (c *connection) lookup(args lookupArgs) (lookup, error) {
	switch {
	case args.Target.Protocol == "flight":
		return func(key int64) (int64, error) {
			return c.rowsOf(&flight.Ticket{Ticket: []byte(strings.Replace(args.SQL, "?", fmt.Sprint(key), 1))})
		}, nil
	case args.Prepared:
		return c.preparedLookup(args)
	default:
		return func(key int64) (int64, error) {
			return c.plainLookup(strings.Replace(args.SQL, "?", fmt.Sprint(key), 1))
		}, nil
	}
}

// plainLookup makes the calls that ADBC's DB-API and JDBC make for a statement: prepare, GetFlightInfo, DoGet, close.
func (c *connection) plainLookup(sql string) (int64, error) {
	statement, err := c.sql.Prepare(c.ctx, sql)
	if err != nil {
		return 0, err
	}
	rows, err := c.execute(statement.Execute)
	if closed := statement.Close(c.ctx); err == nil {
		err = closed
	}
	return rows, err
}

// preparedLookup prepares once; then each lookup binds its key.
func (c *connection) preparedLookup(args lookupArgs) (lookup, error) {
	statement, err := c.sql.Prepare(c.ctx, args.SQL)
	if err != nil {
		return nil, err
	}
	return func(key int64) (int64, error) {
		statement.SetParameters(oneKey(key))
		return c.execute(statement.Execute)
	}, nil
}

func oneKey(key int64) arrow.RecordBatch {
	builder := array.NewInt64Builder(memory.DefaultAllocator)
	defer builder.Release()
	builder.Append(key)
	column := builder.NewArray()
	defer column.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "0", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{column}, 1)
}

const callLimit = 30 * time.Second

func withLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, callLimit)
}
