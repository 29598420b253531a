package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type connection struct {
	client *flightsql.Client
	ctx    context.Context
	stop   context.CancelFunc
}

func connect(j job) (*connection, error) {
	pem, err := os.ReadFile(j.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	address := strings.TrimPrefix(j.URI, "grpc+tls://")
	transport := grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots}))
	client, err := flightsql.NewClient(address, nil, nil, transport)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	for name, value := range j.Headers {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	if j.User != nil {
		ctx, err = client.Client.AuthenticateBasicToken(ctx, *j.User, j.Password)
		if err != nil {
			stop()
			client.Close()
			return nil, err
		}
	}
	if j.Bearer != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+j.Bearer)
	}
	return &connection{client: client, ctx: ctx, stop: stop}, nil
}

func run(t terminal, j job) map[string]any {
	c, err := connect(j)
	if err != nil {
		return map[string]any{"connectError": describe(err), "steps": []any{}}
	}
	defer c.stop()
	defer c.client.Close()
	outcomes := []any{}
	for _, s := range j.Steps {
		started := time.Now()
		outcome, err := c.untilAvailable(t, j.ID, s)
		if outcome == nil {
			outcome = map[string]any{}
		}
		outcome["ok"] = err == nil
		if err != nil {
			outcome["error"] = describe(err)
		}
		outcome["elapsedMs"] = time.Since(started).Milliseconds()
		outcomes = append(outcomes, outcome)
	}
	return map[string]any{"steps": outcomes}
}

const retryEvery = 100 * time.Millisecond

// untilAvailable runs a step again for RetryForMs while its answer is unavailable: gRPC channels wait before they dial again.
func (c *connection) untilAvailable(t terminal, id string, s step) (map[string]any, error) {
	end := time.Now().Add(time.Duration(s.RetryForMs) * time.Millisecond)
	for {
		outcome, err := c.dispatch(t, id, s)
		if err == nil || status.Code(err) != codes.Unavailable || time.Now().After(end) {
			return outcome, err
		}
		time.Sleep(retryEvery)
	}
}

// describe gives the status code in the words Jetbridge uses.
func describe(err error) map[string]any {
	code := "unknown"
	for at := err; at != nil; at = errors.Unwrap(at) {
		if s, ok := status.FromError(at); ok {
			code = inOurWords(s.Code().String())
			break
		}
	}
	return map[string]any{"code": code, "message": err.Error(), "driverCode": fmt.Sprintf("%T", err)}
}

func inOurWords(code string) string {
	var out strings.Builder
	for i, r := range strings.Replace(code, "Canceled", "Cancelled", 1) {
		if r >= 'A' && r <= 'Z' && i > 0 {
			out.WriteByte('_')
		}
		out.WriteRune(r)
	}
	return strings.ToLower(out.String())
}

func (c *connection) dispatch(t terminal, id string, s step) (map[string]any, error) {
	switch s.Action {
	case "wait":
		return nil, t.pause(id, 0)
	case "query":
		return c.query(t, id, s)
	case "update":
		count, err := c.client.ExecuteUpdate(c.ctx, s.SQL)
		return map[string]any{"updated": count}, err
	case "transaction":
		return c.transaction(s)
	case "metadata":
		return c.browse()
	}
	return nil, fmt.Errorf("unknown action %s", s.Action)
}

// transaction runs its statements between BeginTransaction and EndTransaction.
func (c *connection) transaction(s step) (map[string]any, error) {
	tx, err := c.client.BeginTransaction(c.ctx)
	if err != nil {
		return nil, err
	}
	var updated int64
	for _, sql := range s.Statements {
		count, err := tx.ExecuteUpdate(c.ctx, sql)
		if err != nil {
			return nil, errors.Join(err, tx.Rollback(c.ctx))
		}
		updated += count
	}
	if s.Ending == "commit" {
		err = tx.Commit(c.ctx)
	} else {
		err = tx.Rollback(c.ctx)
	}
	return map[string]any{"updated": updated}, err
}

func (c *connection) query(t terminal, id string, s step) (map[string]any, error) {
	if s.Parameters != nil {
		return c.preparedQuery(t, id, s)
	}
	described, err := c.client.Execute(c.ctx, s.SQL)
	if err != nil {
		return nil, err
	}
	return c.read(t, id, s, described)
}

func (c *connection) preparedQuery(t terminal, id string, s step) (map[string]any, error) {
	prepared, err := c.client.Prepare(c.ctx, s.SQL)
	if err != nil {
		return nil, err
	}
	defer prepared.Close(c.ctx)
	batch, err := parameterBatch(prepared.ParameterSchema(), s.Parameters)
	if err != nil {
		return nil, err
	}
	defer batch.Release()
	prepared.SetParameters(batch)
	described, err := prepared.Execute(c.ctx)
	if err != nil {
		return nil, err
	}
	return c.read(t, id, s, described)
}

func parameterBatch(schema *arrow.Schema, values []any) (arrow.RecordBatch, error) {
	if schema == nil || schema.NumFields() != len(values) {
		return nil, fmt.Errorf("the server names %v for %d parameters", schema, len(values))
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	for i, value := range values {
		if value == nil {
			builder.Field(i).AppendNull()
		} else if err := builder.Field(i).AppendValueFromString(fmt.Sprint(value)); err != nil {
			return nil, err
		}
	}
	return builder.NewRecordBatch(), nil
}

// read counts every row of every endpoint and keeps the first few.
func (c *connection) read(t terminal, id string, s step, described *flight.FlightInfo) (map[string]any, error) {
	limit := 100
	if s.Limit != nil {
		limit = *s.Limit
	}
	kept := [][]any{}
	columns := []any{}
	var count int64
	outcome := func() map[string]any {
		return map[string]any{"columns": columns, "rows": kept, "rowCount": count}
	}
	if s.Read == "none" {
		return outcome(), nil
	}
	for _, endpoint := range described.Endpoint {
		reader, err := c.client.DoGet(c.ctx, endpoint.Ticket)
		if err != nil {
			return outcome(), err
		}
		for _, field := range reader.Schema().Fields() {
			columns = append(columns, map[string]any{"name": field.Name, "type": field.Type.String(), "nullable": field.Nullable})
		}
		for reader.Next() {
			batch := reader.RecordBatch()
			for row := 0; row < int(batch.NumRows()) && len(kept) < limit; row++ {
				kept = append(kept, cells(batch, row))
			}
			count += batch.NumRows()
			if s.ReportAfterRows > 0 && count >= s.ReportAfterRows {
				s.ReportAfterRows = 0
				t.send(id, "progress", map[string]any{"rows": count})
			}
			if s.PauseAfterRows > 0 && count >= s.PauseAfterRows {
				s.PauseAfterRows = 0
				if err := t.pause(id, count); err != nil {
					return outcome(), err
				}
			}
			if s.Read == "first" {
				break
			}
		}
		err = reader.Err()
		reader.Release()
		if err != nil {
			return outcome(), err
		}
	}
	return outcome(), nil
}

func cells(batch arrow.RecordBatch, row int) []any {
	out := make([]any, batch.NumCols())
	for i, column := range batch.Columns() {
		if column.IsNull(row) {
			continue
		}
		out[i] = plain(column, row)
	}
	return out
}

// plain is a cell as text that is the same in every client language.
func plain(column arrow.Array, row int) string {
	switch typed := column.(type) {
	case *array.Binary:
		return fmt.Sprintf("%x", typed.Value(row))
	case *array.Float64:
		if value := typed.Value(row); value == float64(int64(value)) {
			return fmt.Sprintf("%.1f", value)
		}
	case *array.Timestamp:
		unit := typed.DataType().(*arrow.TimestampType).Unit
		return typed.Value(row).ToTime(unit).Format("2006-01-02T15:04:05.999999")
	}
	return column.ValueStr(row)
}

func (c *connection) browse() (map[string]any, error) {
	all := "%"
	requests := map[string]func() (*flight.FlightInfo, error){
		"catalogs": func() (*flight.FlightInfo, error) { return c.client.GetCatalogs(c.ctx) },
		"schemas": func() (*flight.FlightInfo, error) {
			return c.client.GetDBSchemas(c.ctx, &flightsql.GetDBSchemasOpts{})
		},
		"tables": func() (*flight.FlightInfo, error) {
			return c.client.GetTables(c.ctx, &flightsql.GetTablesOpts{TableNameFilterPattern: &all, IncludeSchema: true})
		},
		"tableTypes": func() (*flight.FlightInfo, error) { return c.client.GetTableTypes(c.ctx) },
		"sqlInfo":    func() (*flight.FlightInfo, error) { return c.client.GetSqlInfo(c.ctx, nil) },
	}
	outcome := map[string]any{}
	for name, request := range requests {
		described, err := request()
		if err != nil {
			return outcome, fmt.Errorf("%s: %w", name, err)
		}
		found, err := c.read(terminal{}, "", step{}, described)
		if err != nil {
			return outcome, fmt.Errorf("%s: %w", name, err)
		}
		outcome[name] = found
	}
	return outcome, nil
}
