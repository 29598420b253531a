// Answers DoGet with preallocated 1 MB messages and every other call with one small message, so that what is read is the cost of what stands in
// front of it. It listens, or it dials a gateway's tunnel listener as a worker does and serves HTTP/2 on its own outbound connection.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
)

const (
	messageBytes = 1 << 20
	smallBytes   = 300
	helloPath    = "/jetbridge.tunnel.v1.Tunnel/Hello"
)

// credential is one worker's identity, as the enrollment gave it.
type credential struct {
	WorkerID       string `json:"workerId"`
	PrivateKeyPem  string `json:"privateKeyPem"`
	CertificatePem string `json:"certificateChainPem"`
	BundlePem      string `json:"bundlePem"`
}

// plan is what the process reads from its file.
type plan struct {
	TunnelAddress string       `json:"tunnelAddress"`
	Tunnels       int          `json:"tunnelsPerWorker"`
	Credentials   []credential `json:"credentials"`
}

func main() {
	listen := flag.String("listen", "", "address to listen on; its port may be 0")
	certificate := flag.String("certificate", "", "certificate of the listener in PEM; without it the listener speaks HTTP/2 in clear")
	key := flag.String("key", "", "its key")
	tunnel := flag.String("tunnel", "", "file with credentials and the address of a gateway to dial")
	flag.Parse()
	var err error
	if *tunnel != "" {
		err = serveTunnels(*tunnel)
	} else {
		err = serveListener(*listen, *certificate, *key)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func serveListener(address, certificate, key string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: newHandler(nil), Protocols: protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 1000}}
	ready(map[string]any{"port": listener.Addr().(*net.TCPAddr).Port})
	if certificate == "" {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, certificate, key)
}

func serveTunnels(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	greeted := make(chan struct{}, len(p.Credentials)*p.Tunnels)
	ended := make(chan error, len(p.Credentials)*p.Tunnels)
	for _, one := range p.Credentials {
		handler := newHandler(func() []byte {
			greeted <- struct{}{}
			return helloReply(one.WorkerID)
		})
		for range p.Tunnels {
			connection, err := dial(p.TunnelAddress, one)
			if err != nil {
				return err
			}
			go func() {
				// 1 MiB windows and more: what a worker gives.
				server := &http2.Server{MaxConcurrentStreams: 512, MaxUploadBufferPerConnection: 8 << 20, MaxUploadBufferPerStream: 2 << 20}
				server.ServeConn(connection, &http2.ServeConnOpts{Handler: handler})
				ended <- fmt.Errorf("a tunnel of %s ended", one.WorkerID)
			}()
		}
	}
	for range len(p.Credentials) * p.Tunnels {
		select {
		case <-greeted:
		case err := <-ended:
			return err
		}
	}
	ready(map[string]any{"tunnels": len(p.Credentials) * p.Tunnels})
	return <-ended
}

// dial proves this worker's identity by its certificate. The gateway's is checked against the roots; its name is an identity URI, not a host.
func dial(address string, one credential) (*tls.Conn, error) {
	pair, err := tls.X509KeyPair([]byte(one.CertificatePem), []byte(one.PrivateKeyPem))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(one.BundlePem))
	return tls.Dial("tcp", address, &tls.Config{
		Certificates:       []tls.Certificate{pair},
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{"jetbridge-tunnel/1"},
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, certificate := range state.PeerCertificates[1:] {
				between.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
			return err
		},
	})
}

type handler struct {
	hello func() []byte
	large []byte
	small []byte
}

func newHandler(hello func() []byte) http.Handler {
	return &handler{hello: hello, large: framed(make([]byte, messageBytes)), small: framed(make([]byte, smallBytes))}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("content-type", "application/grpc")
	w.Header().Set("trailer", "grpc-status")
	drained := make([]byte, 16<<10)
	for {
		if _, err := r.Body.Read(drained); err != nil {
			break
		}
	}
	switch {
	case h.hello != nil && r.URL.Path == helloPath:
		w.Write(framed(h.hello()))
	case strings.HasSuffix(r.URL.Path, "/DoGet"):
		messages, _ := strconv.Atoi(r.Header.Get("x-bench-messages"))
		for range messages {
			if _, err := w.Write(h.large); err != nil {
				return
			}
		}
	default:
		w.Write(h.small)
	}
	w.Header().Set("grpc-status", "0")
}

// framed puts gRPC's prefix before a message.
func framed(message []byte) []byte {
	frame := make([]byte, 5, 5+len(message))
	binary.BigEndian.PutUint32(frame[1:], uint32(len(message)))
	return append(frame, message...)
}

// helloReply is jetbridge.tunnel.v1.HelloReply; every start of this process is one boot.
func helloReply(workerID string) []byte {
	var message []byte
	for _, field := range []struct {
		number byte
		text   string
	}{{1, workerID}, {2, bootID}, {3, "default"}, {4, "bench"}, {5, "bench"}, {6, "bench"}} {
		message = append(message, field.number<<3|2, byte(len(field.text)))
		message = append(message, field.text...)
	}
	return message
}

var bootID = fmt.Sprintf("bench%d", os.Getpid())

func ready(fields map[string]any) {
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(line, '\n'))
}
