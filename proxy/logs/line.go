package logs

import (
	"context"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"time"
)

// A Key is what lines call a value. How it stands in a line, and whether it is that of a secret, is found out when it
// is made, and not for each line.
type Key struct {
	name   string
	text   string // as it stands in a line
	plain  bool
	secret bool
}

// NewKey returns a key of that name.
func NewKey(name string) *Key {
	return &Key{name: name, text: `,"` + name + `":`, plain: name != "" && isPlain(name), secret: isSecret(name)}
}

// A Line is a record of texts and numbers that is written often: one of a request. It says what a slog.Record does, byte
// for byte (FuzzLines), for a fifth of the processor time: a Record is copied by each handler, and all of its keys are
// looked at (`go test -bench Line ./proxy/logs`). One goroutine uses it, until it is written.
type Line struct {
	fields []field
	text   []byte
}

// A field is a key and its value, which is one of three.
type field struct {
	key   *Key
	kind  slog.Kind // string, int64 or float64
	text  string
	whole int
	float float64
}

// NewLine returns a line that says nothing yet.
func NewLine() *Line { return spare.Get().(*Line) }

var spare = sync.Pool{New: func() any { return new(Line) }}

// Text adds a text.
func (l *Line) Text(key *Key, value string) {
	l.fields = append(l.fields, field{key: key, kind: slog.KindString, text: value})
}

// Some adds a text unless it is empty.
func (l *Line) Some(key *Key, value string) {
	if value != "" {
		l.Text(key, value)
	}
}

// Int adds a whole number.
func (l *Line) Int(key *Key, value int) {
	l.fields = append(l.fields, field{key: key, kind: slog.KindInt64, whole: value})
}

// Float adds a number.
func (l *Line) Float(key *Key, value float64) {
	l.fields = append(l.fields, field{key: key, kind: slog.KindFloat64, float: value})
}

// Write writes the line to a log, whether or not that is enabled, and ends it: it may not be used any more.
func (l *Line) Write(ctx context.Context, log *slog.Logger, at time.Time, level slog.Level, message string) {
	ours, _ := log.Handler().(sampling)
	if ours.direct == nil || !ours.always(level, message) || !ours.direct.write(ctx, l, at, level, message) {
		_ = log.Handler().Handle(ctx, l.record(at, level, message)) // as the Logger does
	}
	clear(l.fields)
	l.fields = l.fields[:0]
	if cap(l.text) <= longestKept { // else a stack trace would be kept for lines of a few hundred bytes
		spare.Put(l)
	}
}

const longestKept = 16 << 10 // bytes

// record returns what the line says as others take it.
func (l *Line) record(at time.Time, level slog.Level, message string) slog.Record {
	attrs := make([]slog.Attr, len(l.fields))
	for i, f := range l.fields {
		switch f.kind {
		case slog.KindString:
			attrs[i] = slog.String(f.key.name, f.text)
		case slog.KindInt64:
			attrs[i] = slog.Int(f.key.name, f.whole)
		default:
			attrs[i] = slog.Float64(f.key.name, f.float)
		}
	}
	r := slog.NewRecord(at, level, message, 0) // the Logger would look up, for nobody, which line of ours this is
	r.AddAttrs(attrs...)
	return r
}

// direct writes lines as the handlers of a log do one after the other.
type direct struct {
	out   *Queue
	trace func(context.Context) (trace, span, flags string, ok bool) // nil: none
}

// write writes a line; false, and nothing is written, if there is anything in it that is not plain.
func (d *direct) write(ctx context.Context, l *Line, at time.Time, level slog.Level, message string) bool {
	given := len(l.fields)
	if d.trace != nil {
		l.belongs(d.trace(ctx))
	}
	plain := l.render(at, level, message)
	l.fields = l.fields[:given]
	if !plain {
		return false
	}
	_, _ = d.out.Write(l.text)
	return true
}

// belongs adds the ids of the trace that the line belongs to, if it does.
func (l *Line) belongs(trace, span, flags string, ok bool) {
	if ok {
		l.Text(keyTrace, trace)
		l.Text(keySpan, span)
		l.Text(keyFlags, flags)
	}
}

var keyTrace, keySpan, keyFlags = NewKey(nameTrace), NewKey(nameSpan), NewKey(nameFlags)

// render writes the text of the line; false if it has anything that does not stand in JSON as it is.
func (l *Line) render(at time.Time, level slog.Level, message string) bool {
	if year := at.Year(); year < 1 || year > 9999 || at.IsZero() || !isPlain(message) {
		return false
	}
	text := append(l.text[:0], `{"time":"`...)
	text = at.AppendFormat(text, time.RFC3339Nano)
	text = append(text, `","level":"`...)
	text = append(text, level.String()...)
	text = append(text, `","msg":"`...)
	text = append(text, message...)
	text = append(text, '"')
	plain := true
	for i := range l.fields {
		f := &l.fields[i]
		text = append(text, f.key.text...)
		text, plain = f.append(text)
		if !plain || !f.key.plain {
			return false
		}
	}
	l.text = append(text, "}\n"...)
	return true
}

func (f *field) append(text []byte) (_ []byte, plain bool) {
	switch f.kind {
	case slog.KindString:
		value := f.text
		if f.key.secret {
			value = withheld
		}
		text = append(append(append(text, '"'), value...), '"')
		return text, isPlain(value)
	case slog.KindInt64:
		return strconv.AppendInt(text, int64(f.whole), 10), true
	}
	size := math.Abs(f.float)
	return strconv.AppendFloat(text, f.float, 'f', -1, 64), size == 0 || size >= 1e-6 && size < 1e21 // others have an exponent
}

// isPlain reports whether a text stands in JSON as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if !asIs[text[i]] {
			return false
		}
	}
	return true
}

// asIs tells of each byte whether it stands in JSON as it is.
var asIs = func() (all [256]bool) {
	for c := byte(' '); c <= '~'; c++ {
		all[c] = c != '"' && c != '\\'
	}
	return all
}()
