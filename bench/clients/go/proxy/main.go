// httputil.ReverseProxy in front of a gRPC server: TLS towards clients, HTTP/2 with TLS or in clear towards the server.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	certificate := flag.String("certificate", "", "certificate of the listener in PEM")
	key := flag.String("key", "", "its key")
	upstream := flag.String("upstream", "", "https://host:port or http://host:port")
	ca := flag.String("ca", "", "roots of the upstream in PEM")
	flag.Parse()
	if err := serve(*listen, *certificate, *key, *upstream, *ca); err != nil {
		log.Fatal(err)
	}
}

func serve(listen, certificate, key, upstream, ca string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return err
		}
		roots.AppendCertsFromPEM(pem)
	}
	only2 := new(http.Protocols)
	only2.SetHTTP2(true)
	only2.SetUnencryptedHTTP2(true)
	proxy := httputil.NewSingleHostReverseProxy(target)
	// Every message at once: gRPC waits for single ones.
	proxy.FlushInterval = -1
	proxy.Transport = &http.Transport{Protocols: only2, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: proxy, Protocols: only2, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 1000}}
	return server.ServeTLS(listener, certificate, key)
}
