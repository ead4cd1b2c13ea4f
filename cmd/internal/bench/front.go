package bench

import (
	"encoding/pem"
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
)

// newFront has a server of this process speak HTTPS for another, and writes the certificate it is known by to a file.
// What is sent is passed on at once. The caller calls Close, once nobody is connected any more.
func newFront(host, certificate string) (*httptest.Server, error) {
	pass := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: host}) },
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // when all of them stop, connections break
	}
	front := httptest.NewTLSServer(pass)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	err := os.WriteFile(certificate, text, 0o600)
	if err != nil {
		front.Close()
		return nil, err
	}
	return front, nil
}
