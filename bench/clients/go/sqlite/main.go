// arrow-go's SQLite Flight SQL example server over a table of TPC-H's lineitem columns, made here with the few types that the example knows: keys as
// spread as TPC-H's, values at random.
package main

import (
	"database/sql"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"net"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/example"
	_ "modernc.org/sqlite"
)

const perTransaction = 50_000

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	rows := flag.Int("rows", 200_000, "rows of lineitem")
	tables := flag.Int("tables", 0, "further empty tables")
	flag.Parse()
	db, err := example.CreateDB()
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := fill(db, *rows, *tables); err != nil {
		log.Fatal(err)
	}
	service, err := example.NewSQLiteFlightSQLServer(db)
	if err != nil {
		log.Fatal(err)
	}
	server := flight.NewServerWithMiddleware(nil)
	server.RegisterFlightService(flightsql.NewFlightServer(service))
	if err := server.Init(*listen); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"port\":%d}\n", server.Addr().(*net.TCPAddr).Port)
	log.Fatal(server.Serve())
}

func fill(db *sql.DB, rows, tables int) error {
	if _, err := db.Exec(`CREATE TABLE lineitem (l_orderkey INTEGER, l_partkey INTEGER, l_suppkey INTEGER, l_linenumber INTEGER,
		l_quantity REAL, l_extendedprice REAL, l_discount REAL, l_tax REAL, l_comment TEXT)`); err != nil {
		return err
	}
	for from := 0; from < rows; from += perTransaction {
		if err := insert(db, from, min(rows, from+perTransaction)); err != nil {
			return err
		}
	}
	if _, err := db.Exec("CREATE INDEX lineitem_orderkey ON lineitem (l_orderkey)"); err != nil {
		return err
	}
	for table := range tables {
		if _, err := db.Exec(fmt.Sprintf("CREATE TABLE bench_table_%04d (id INTEGER, name TEXT, amount REAL)", table)); err != nil {
			return err
		}
	}
	return nil
}

// keyOf: TPC-H uses 8 of every 32 order keys.
func keyOf(number int) int { return number>>3<<5 | number&7 }

func insert(db *sql.DB, from, to int) error {
	transaction, err := db.Begin()
	if err != nil {
		return err
	}
	statement, err := transaction.Prepare("INSERT INTO lineitem VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for row := from; row < to; row++ {
		if _, err := statement.Exec(keyOf(row/4+1), rand.IntN(200_000), rand.IntN(10_000), row%4+1, float64(rand.IntN(50)),
			rand.Float64()*100_000, 0.05, 0.02, "carefully regular deposits"); err != nil {
			return err
		}
	}
	return transaction.Commit()
}
