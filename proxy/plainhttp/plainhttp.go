// Package plainhttp reads and writes what plain messages of HTTP/1.1 are made of: those that programs send all day,
// short, whole, and with nothing in them that two readers could take for two things. It knows bytes, fields and
// lengths; which of them a message may have is for its readers to say: proxy/quick of requests, proxy/upstream of the
// answers of sites. Whatever leaves a doubt is left to net/http, and what is taken net/http takes, and reads in
// the same way. Nothing here allocates.
package plainhttp

// Bytes are those that may stand somewhere.
type Bytes [256]bool

// What may stand in any message.
var (
	Name  = Alphanumeric("-_")                                  // the name of a field
	Value = Alphanumeric(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") // and its value
	Host  = Alphanumeric("-.:[]")
)

// Alphanumeric returns the letters, the digits and some signs more.
func Alphanumeric(signs string) *Bytes {
	return Among("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + signs)
}

// Among returns those of a text.
func Among(text string) *Bytes {
	var all Bytes
	for i := range len(text) {
		all[text[i]] = true
	}
	return &all
}

// Span returns how many bytes text begins with that are all among allowed.
func Span[T string | []byte](text T, allowed *Bytes) int {
	for i := range len(text) {
		if !allowed[text[i]] {
			return i
		}
	}
	return len(text)
}

// Only reports whether text has no bytes but those that are allowed.
func Only[T string | []byte](text T, allowed *Bytes) bool { return Span(text, allowed) == len(text) }
