// A TCP proxy that delivers every byte a given time after it came, in order, in both directions: a long link without its loss. It is a process of
// its own and cheap (one read and one write for up to 256 KB), so that it is not what is measured.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"time"
)

const (
	readBytes = 256 << 10
	// Smaller pieces are copied, so that a queue of many small ones holds little memory.
	copiedBytes = 16 << 10
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	to := flag.String("to", "", "address to connect to")
	delay := flag.Duration("delay", 0, "time that every byte takes, each way")
	// Bandwidth times delay at 2 GB/s and 25 ms; beyond it the sender waits.
	most := flag.Int("bytes", 64<<20, "bytes on their way in one direction of one connection, at most")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		near, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go join(near.(*net.TCPConn), *to, *delay, *most)
	}
}

func join(near *net.TCPConn, to string, delay time.Duration, most int) {
	defer near.Close()
	connection, err := net.Dial("tcp", to)
	if err != nil {
		log.Print(err)
		return
	}
	far := connection.(*net.TCPConn)
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { newLink(delay, most).carry(near, far) })
	both.Go(func() { newLink(delay, most).carry(far, near) })
	both.Wait()
}

// piece is what one read brought, and when it has to leave.
type piece struct {
	bytes  []byte
	pooled bool
	due    time.Time
}

// link is one direction of one connection: a queue bounded by bytes.
type link struct {
	delay time.Duration
	most  int
	lock  sync.Mutex
	moved *sync.Cond
	queue []piece
	held  int
	ended bool
	gone  bool
}

func newLink(delay time.Duration, most int) *link {
	l := &link{delay: delay, most: most}
	l.moved = sync.NewCond(&l.lock)
	return l
}

var pool = sync.Pool{New: func() any { return make([]byte, readBytes) }}

func (l *link) carry(from, to *net.TCPConn) {
	var writing sync.WaitGroup
	writing.Go(func() { l.write(from, to) })
	l.read(from)
	writing.Wait()
}

func (l *link) read(from io.Reader) {
	buffer := pool.Get().([]byte)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			next := piece{bytes: buffer[:n], pooled: true, due: time.Now().Add(l.delay)}
			if n <= copiedBytes {
				next.bytes, next.pooled = append([]byte(nil), buffer[:n]...), false
			} else {
				buffer = pool.Get().([]byte)
			}
			if !l.put(next) {
				return
			}
		}
		if err != nil {
			l.end()
			return
		}
	}
}

// put waits until there is room; false when nobody will take it any more.
func (l *link) put(next piece) bool {
	l.lock.Lock()
	defer l.lock.Unlock()
	for l.held >= l.most && !l.gone {
		l.moved.Wait()
	}
	l.queue = append(l.queue, next)
	l.held += len(next.bytes)
	l.moved.Broadcast()
	return !l.gone
}

func (l *link) end() {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.ended = true
	l.moved.Broadcast()
}

func (l *link) take() (piece, bool) {
	l.lock.Lock()
	defer l.lock.Unlock()
	for len(l.queue) == 0 && !l.ended {
		l.moved.Wait()
	}
	if len(l.queue) == 0 {
		return piece{}, false
	}
	next := l.queue[0]
	l.queue = l.queue[1:]
	return next, true
}

func (l *link) write(from, to *net.TCPConn) {
	defer to.CloseWrite()
	for {
		next, more := l.take()
		if !more {
			return
		}
		if wait := time.Until(next.due); wait > 0 {
			time.Sleep(wait)
		}
		_, err := to.Write(next.bytes)
		if next.pooled {
			pool.Put(next.bytes[:cap(next.bytes)])
		}
		l.lock.Lock()
		l.held -= len(next.bytes)
		l.gone = l.gone || err != nil
		l.moved.Broadcast()
		l.lock.Unlock()
		if err != nil {
			// The sender learns of it by its own connection's end.
			from.CloseRead()
			return
		}
	}
}
