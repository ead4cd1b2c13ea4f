package icws

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"portico/proxy/upstream"
)

// public is what callers know us by.
type public struct {
	host   string // its name alone, as alternateHostList has it
	secure bool   // cookies are for https alone
}

func publicOf(address string) public {
	at, err := url.Parse(address)
	if err != nil {
		return public{}
	}
	return public{host: at.Hostname(), secure: at.Scheme == "https"}
}

// readdress makes an answer of the host at base one of ours: cookies hold for our paths, Location
// leads to us, and, in an answer that may have one, alternateHostList names us alone. It returns the
// hosts that the list named.
//
// Source: ICWS, Concepts: Web proxies.
func (c *Client) readdress(res *http.Response, base string, mayName bool) ([]string, error) {
	path := pathOf(base)
	for i, line := range res.Header["Set-Cookie"] {
		res.Header["Set-Cookie"][i] = c.public.cookie(line, path)
	}
	location := res.Header.Get("Location")
	if location != "" {
		res.Header.Set("Location", c.ourLocation(location, base))
	}
	if !mayName || !strings.EqualFold(mediaType(res.Header.Get("Content-Type")), mediaTypeICWS) {
		return nil, nil
	}
	return c.ourHosts(res)
}

// pathOf returns what stands before /icws in the paths of a host, "" for nothing.
func pathOf(base string) string {
	at, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.TrimRight(at.Path, "/")
}

// below returns path without what stands before /icws.
func below(prefix, path string) string {
	rest, found := strings.CutPrefix(path, prefix)
	switch {
	case !found || rest != "" && rest[0] != '/':
		return path
	case rest == "":
		return "/"
	}
	return rest
}

// cookie makes a Set-Cookie line one that a caller's jar keeps for us. Its name and value stay letter
// by letter. What browsers take with Secure alone goes with it: they refuse a cookie that has it and is not.
func (p public) cookie(line, path string) string {
	parts := strings.Split(line, ";")
	kept := parts[:1]
	for _, part := range parts[1:] {
		name, value, _ := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "domain", "secure": // the host's: ours may differ
			continue
		case "samesite":
			if !p.secure && strings.EqualFold(value, "none") {
				continue
			}
		case "partitioned":
			if !p.secure {
				continue
			}
		case "path":
			part = " Path=" + below(path, value)
		}
		kept = append(kept, part)
	}
	if p.secure {
		kept = append(kept, " Secure")
	}
	return strings.Join(kept, ";")
}

// ourLocation returns where a Location leads that a host of the site gave: to the same path here. One
// that leads elsewhere, such as to where one signs on, stays.
func (c *Client) ourLocation(location, base string) string {
	for _, known := range slices.Concat([]string{base}, c.hosts.order()) {
		origin := strings.TrimSuffix(known, pathOf(known))
		if len(location) < len(origin) || !strings.EqualFold(location[:len(origin)], origin) {
			continue
		}
		path := location[len(origin):]
		if path == "" || strings.HasPrefix(path, "/") {
			return below(pathOf(known), "/"+strings.TrimPrefix(path, "/"))
		}
	}
	if strings.HasPrefix(location, "//") {
		return location
	}
	return below(pathOf(base), location)
}

// maxNaming is how long the body of an answer may be that is looked into for hosts, in bytes. Errors
// and log-ins have a few hundred.
const maxNaming = 64 << 10

// ourHosts puts our name in place of the hosts in an answer's alternateHostList, and returns those.
func (c *Client) ourHosts(res *http.Response) ([]string, error) {
	head, err := io.ReadAll(io.LimitReader(res.Body, maxNaming+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	body, plain := unpacked(head, res.Header.Get("Content-Encoding"))
	if len(head) > maxNaming || !plain {
		res.Body = rest{io.MultiReader(bytes.NewReader(head), res.Body), res.Body}
		return nil, nil
	}
	mapped, named := withHost(body, c.public.host)
	if len(named) == 0 {
		mapped = head // as it came
	} else {
		res.Header.Del("Content-Encoding")
		res.ContentLength = int64(len(mapped))
		res.Header.Set("Content-Length", strconv.Itoa(len(mapped)))
	}
	res.Body = rest{bytes.NewReader(mapped), res.Body}
	return named, nil
}

// AnsweredErrorID returns the errorId of an answer to a native application, "" if it has none that can be read. No more is
// read than was for the hosts that an error may name.
func AnsweredErrorID(res *http.Response) string {
	if res.StatusCode < http.StatusBadRequest || !strings.EqualFold(mediaType(res.Header.Get("Content-Type")), mediaTypeICWS) {
		return ""
	}
	head, err := io.ReadAll(io.LimitReader(res.Body, maxNaming+1)) // of bytes at hand
	res.Body = rest{io.MultiReader(bytes.NewReader(head), res.Body), res.Body}
	body, plain := unpacked(head, res.Header.Get("Content-Encoding"))
	if err != nil || !plain {
		return ""
	}
	return refusalOf(upstream.Reply{Status: res.StatusCode, Body: body}).Body.ErrorID
}

// A rest is a body of which a part was read.
type rest struct {
	io.Reader
	io.Closer
}

// unpacked returns a body without its encoding; false if that cannot be taken off.
func unpacked(body []byte, encoding string) ([]byte, bool) {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return body, true
	case "gzip":
		unpacker, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, false
		}
		text, err := io.ReadAll(io.LimitReader(unpacker, maxNaming))
		return text, err == nil
	}
	return nil, false
}

// withHost returns a body with own as the one host of its alternateHostList, and the hosts that it
// had. All else in it stays letter by letter. A body without the list, or with an empty one, stays.
func withHost(body []byte, own string) ([]byte, []string) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	opening, err := decoder.Token()
	if err != nil || opening != json.Delim('{') {
		return body, nil
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return body, nil
		}
		var value json.RawMessage
		err = decoder.Decode(&value)
		if err != nil {
			return body, nil
		}
		if name != "alternateHostList" {
			continue
		}
		var named []string
		err = json.Unmarshal(value, &named)
		if err != nil || len(named) == 0 {
			return body, nil
		}
		end := int(decoder.InputOffset())
		list, _ := json.Marshal([]string{own}) // text cannot fail
		return slices.Concat(body[:end-len(value)], list, body[end:]), named
	}
	return body, nil
}
