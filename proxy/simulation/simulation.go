// Package simulation is what the simulators of both contact centres are alike in: how they are told
// to fail, what they remember of calls, how they are steered on the paths below /_sim/, and how
// what they run ends with them. What an API answers, and which scenarios it knows, is each
// simulator's own.
package simulation

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// Segments splits a path at its slashes, leaving out empty parts: clients write /me/ as well as /me,
// and join base URLs and paths with one slash too many.
func Segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// HostOf returns the host name that the caller dialled, without port.
func HostOf(r *http.Request) string {
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return host
}

// Encode returns v as compact JSON on one line. It panics if that cannot be done: a simulator's
// types are all ours.
func Encode(v any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	if err != nil {
		panic("simulation: encode an answer: " + err.Error())
	}
	return bytes.TrimRight(buffer.Bytes(), "\n")
}
