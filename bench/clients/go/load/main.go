// Load client: one JSON request per line on stdin, one JSON answer per line on stdout, after one line that says that it is ready. Each result
// tells the CPU seconds that this process spent on it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

type request struct {
	ID   int             `json:"id"`
	Op   string          `json:"op"`
	Args json.RawMessage `json:"args"`
}

// target is how a server is reached.
type target struct {
	Protocol string            `json:"protocol"`
	URI      string            `json:"uri"`
	CAFile   string            `json:"caFile"`
	Username string            `json:"username"`
	Password string            `json:"password"`
	Headers  map[string]string `json:"headers"`
}

var operations = map[string]func(json.RawMessage) (map[string]any, error){
	"stream":  stream,
	"unary":   unary,
	"open":    open,
	"lookups": lookups,
	"idle":    idle,
}

func main() {
	send(map[string]any{"ready": true})
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		send(serve(line))
	}
}

func send(answer map[string]any) {
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(text, '\n'))
}

func serve(line []byte) map[string]any {
	var next request
	if err := json.Unmarshal(line, &next); err != nil {
		return map[string]any{"error": err.Error()}
	}
	operation, known := operations[next.Op]
	if !known {
		return map[string]any{"id": next.ID, "error": fmt.Sprintf("no such operation: %s", next.Op)}
	}
	before := cpuSeconds()
	result, err := operation(next.Args)
	if err != nil {
		return map[string]any{"id": next.ID, "error": err.Error()}
	}
	result["clientCpuS"] = cpuSeconds() - before
	return map[string]any{"id": next.ID, "result": result}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
