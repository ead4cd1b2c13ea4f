package main

import (
	"context"
	"io"

	"portico/cmd/internal/bench"
)

// A scene is what is measured: Portico and its contact centres.
type scene struct{ *bench.Scene }

// open starts them on free ports. The caller calls Close.
func open(ctx context.Context, program string, stderr io.Writer) (*scene, error) {
	opened, err := bench.Open(ctx, program, bench.Settings{Site: bench.Crowded}, stderr)
	if err != nil {
		return nil, err
	}
	return &scene{opened}, nil
}
