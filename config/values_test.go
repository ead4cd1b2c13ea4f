package config

import (
	"log/slog"
	"testing"
)

func TestParseBytes(t *testing.T) {
	cases := map[string]Bytes{
		"0":        0,
		"1024":     1024,
		"512B":     512,
		"64KiB":    64 << 10,
		"64MiB":    64 << 20,
		"64mib":    64 << 20,
		"64 MiB":   64 << 20,
		"64MB":     64e6,
		"2GiB":     2 << 30,
		"8589GiB":  8589 << 30,
		"1kb":      1000,
		"9999999B": 9999999,
	}
	for text, want := range cases {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("parseBytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "B", "MiB", "-1", "+1", "1.5MiB", "1TiB", "0x10", "1 000", "9223372036854775808", "9223372036854775807KiB"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("parseBytes(%q) = %d; want an error", text, got)
		}
	}
}

func TestBytesPrintAsTheyAreWritten(t *testing.T) {
	for _, text := range []string{"0B", "1000B", "64KiB", "64MiB", "2GiB", "1025KiB"} {
		size, err := parseBytes(text)
		if err != nil || size.String() != text {
			t.Errorf("%q prints as %q, %v", text, size, err)
		}
	}
}

func TestLogLevel(t *testing.T) {
	cases := map[LogLevel]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError, "": slog.LevelInfo,
	}
	for level, want := range cases {
		if got := level.Level(); got != want {
			t.Errorf("LogLevel(%q).Level() = %v; want %v", level, got, want)
		}
	}
}

func TestClosest(t *testing.T) {
	known := []string{"listen", "public_url", "after_outage", "language", "log", "ic"}
	cases := map[string]string{
		"lisen":        "listen",
		"listne":       "listen",
		"publicUrl":    "public_url",
		"public-url":   "public_url",
		"after_outtag": "after_outage",
		"lang":         "language",
		"icc":          "ic",
		"colour":       "",
		"":             "",
		"x":            "",
	}
	for got, want := range cases {
		if meant := closest(got, known); meant != want {
			t.Errorf("closest(%q) = %q; want %q", got, meant, want)
		}
	}
}
