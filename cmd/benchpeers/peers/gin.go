package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"

	"github.com/gin-gonic/gin"
)

// engine returns gin as its own manual sets it up, in release mode.
func engine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.Use(gin.LoggerWithWriter(os.Stdout), gin.Recovery())
	return e
}

// A held is an answer kept whole.
type held struct {
	header http.Header
	body   []byte
}

// bare answers one path from memory, plain, compressed or with 304: what is fetched once from the
// upstream. It knows no sessions, so it is the least that a program on gin can cost.
func bare(s settings) error {
	const path = "/me/status-messages"
	plain, err := fetch(s, path, "identity")
	if err != nil {
		return err
	}
	compressed, err := fetch(s, path, "gzip")
	if err != nil {
		return err
	}
	e := engine()
	e.GET(path, func(c *gin.Context) {
		answer := plain
		if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
			answer = compressed
		}
		h := c.Writer.Header()
		for name, values := range answer.header {
			h[name] = values
		}
		if matches(c.Request, answer.header.Get("Etag")) {
			c.Status(http.StatusNotModified)
			return
		}
		c.Data(http.StatusOK, answer.header.Get("Content-Type"), answer.body)
	})
	return http.ListenAndServe(s.listen, e)
}

// fetch fetches what is to be held.
func fetch(s settings, path, encoding string) (*held, error) {
	request, err := http.NewRequest(http.MethodGet, s.upstream+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Cookie", s.cookie)
	request.Header.Set("Accept-Encoding", encoding)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, answer.Status)
	}
	header := http.Header{}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Etag", "Vary", "Cache-Control"} {
		if values := answer.Header.Values(name); values != nil {
			header[name] = values
		}
	}
	return &held{header, body}, err
}

// matches says whether a request holds what it would be answered with.
func matches(r *http.Request, etag string) bool {
	return etag != "" && strings.Contains(r.Header.Get("If-None-Match"), etag)
}

// reverseProxy passes everything to the upstream.
func reverseProxy(s settings) error {
	upstream, err := url.Parse(s.upstream)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256 // or most connections would be closed after each answer
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) }}
	e := engine()
	e.NoRoute(func(c *gin.Context) {
		c.Status(http.StatusOK) // gin begins with 404 here
		proxy.ServeHTTP(c.Writer, c.Request)
	})
	return http.ListenAndServe(s.listen, e)
}
