package logs

import (
	"context"
	"io"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"time"
)

// jsonLines writes what slog.JSONHandler would, byte for byte. Records of texts and numbers alone, as every
// request leaves one, it writes itself, for less than half the cost (`go test -bench Line ./proxy/logs`); all
// others it hands on.
type jsonLines struct {
	slog.Handler // a JSONHandler, for all others and for what is with them
	out          io.Writer
	bare         bool // nothing was added by WithAttrs or WithGroup
}

func newLines(out io.Writer, level slog.Leveler) jsonLines {
	one := &oneAtATime{out: out}
	return jsonLines{slog.NewJSONHandler(one, &slog.HandlerOptions{Level: level, ReplaceAttr: withoutSecrets}), one, true}
}

// Handle implements slog.Handler.
func (h jsonLines) Handle(ctx context.Context, r slog.Record) error {
	if !h.bare {
		return h.Handler.Handle(ctx, r)
	}
	line := taken.Get().(*[]byte)
	defer func() {
		if cap(*line) <= longestTaken { // else a stack trace would be kept for records of a few hundred bytes
			taken.Put(line)
		}
	}()
	var plain bool
	*line, plain = appendLine((*line)[:0], r)
	if !plain {
		return h.Handler.Handle(ctx, r)
	}
	_, err := h.out.Write(*line)
	return err
}

func (h jsonLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	return jsonLines{Handler: h.Handler.WithAttrs(attrs), out: h.out}
}

func (h jsonLines) WithGroup(name string) slog.Handler {
	return jsonLines{Handler: h.Handler.WithGroup(name), out: h.out}
}

var taken = sync.Pool{New: func() any { return new([]byte) }}

const longestTaken = 16 << 10 // bytes

// oneAtATime is a writer that both ways of writing share.
type oneAtATime struct {
	mu  sync.Mutex
	out io.Writer // guarded by mu
}

func (w *oneAtATime) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// appendLine adds a record; false if it has something else than plain texts and numbers.
func appendLine(line []byte, r slog.Record) ([]byte, bool) {
	if r.Time.IsZero() || r.Time.Year() < 1 || r.Time.Year() > 9999 || !isPlain(r.Message) {
		return line, false
	}
	line = append(line, `{"time":"`...)
	line = r.Time.AppendFormat(line, time.RFC3339Nano)
	line = append(line, `","level":"`...)
	line = append(line, r.Level.String()...)
	line = append(line, `","msg":"`...)
	line = append(line, r.Message...)
	line = append(line, '"')
	plain := true
	r.Attrs(func(a slog.Attr) bool {
		line, plain = appendAttr(line, a)
		return plain
	})
	return append(line, "}\n"...), plain
}

// appendAttr adds an attribute, or those of a group without a name, which stand for themselves.
func appendAttr(line []byte, a slog.Attr) ([]byte, bool) {
	if a.Key == "" && a.Value.Kind() == slog.KindGroup {
		plain := true
		for _, member := range a.Value.Group() {
			if line, plain = appendAttr(line, member); !plain {
				break
			}
		}
		return line, plain
	}
	if a.Key == "" || !isPlain(a.Key) {
		return line, false
	}
	line = append(line, `,"`...)
	line = append(line, a.Key...)
	line = append(line, `":`...)
	switch a.Value.Kind() {
	case slog.KindString:
		return appendText(line, withoutSecrets(nil, a).Value.String())
	case slog.KindInt64:
		return strconv.AppendInt(line, a.Value.Int64(), 10), true
	case slog.KindFloat64:
		return appendFloat(line, a.Value.Float64())
	}
	return line, false
}

func appendText(line []byte, text string) ([]byte, bool) {
	line = append(line, '"')
	line = append(line, text...)
	return append(line, '"'), isPlain(text)
}

// appendFloat adds a number that encoding/json writes without an exponent.
func appendFloat(line []byte, f float64) ([]byte, bool) {
	size := math.Abs(f)
	return strconv.AppendFloat(line, f, 'f', -1, 64), size == 0 || size >= 1e-6 && size < 1e21
}

// isPlain reports whether a text stands in JSON as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
