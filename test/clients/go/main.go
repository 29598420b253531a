// Runs jobs from stdin through arrow-go's Flight SQL client; the protocol is described in python/protocol.py.
package main

import (
	"bufio"
	"encoding/json"
	"os"
)

type job struct {
	ID       string            `json:"id"`
	URI      string            `json:"uri"`
	CAFile   string            `json:"caFile"`
	User     *string           `json:"user"`
	Password string            `json:"password"`
	Bearer   string            `json:"bearer"`
	Headers  map[string]string `json:"headers"`
	Steps    []step            `json:"steps"`
}

type step struct {
	Action          string `json:"action"`
	SQL             string `json:"sql"`
	Parameters      []any  `json:"parameters"`
	Read            string `json:"read"`
	Limit           *int   `json:"limit"`
	ReportAfterRows int64  `json:"reportAfterRows"`
	PauseAfterRows  int64  `json:"pauseAfterRows"`
	RetryForMs      int64  `json:"retryForMs"`
	// Of a transaction.
	Statements []string `json:"statements"`
	Ending     string   `json:"ending"`
}

// terminal is the program's stdin and stdout, one JSON document per line.
type terminal struct {
	in *bufio.Reader
}

func (t terminal) send(id, event string, fields map[string]any) {
	if fields == nil {
		fields = map[string]any{}
	}
	fields["id"] = id
	fields["event"] = event
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(line, '\n'))
}

// pause announces that the job waits, and waits for the line that lets it go on.
func (t terminal) pause(id string, rows int64) error {
	t.send(id, "paused", map[string]any{"rows": rows})
	_, err := t.in.ReadBytes('\n')
	return err
}

func main() {
	t := terminal{in: bufio.NewReaderSize(os.Stdin, 1<<20)}
	t.send("", "ready", nil)
	for {
		line, err := t.in.ReadBytes('\n')
		if err != nil {
			return
		}
		var next job
		if err := json.Unmarshal(line, &next); err != nil {
			panic(err)
		}
		t.send(next.ID, "done", run(t, next))
	}
}
