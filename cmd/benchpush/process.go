package main

import (
	"context"
	"io"

	"portico/cmd/internal/bench"
)

// A scene is what is measured: Portico and its contact centres.
type scene struct{ *bench.Scene }

// open starts them on free ports. The caller calls Close.
func open(ctx context.Context, s settings, stderr io.Writer) (*scene, error) {
	opened, err := bench.Open(ctx, s.portico, bench.Settings{Site: bench.Crowded, HTTPS: s.https}, stderr)
	if err != nil {
		return nil, err
	}
	return &scene{opened}, nil
}
