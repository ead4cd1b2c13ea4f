package translate

import (
	"strings"
	"unicode"

	"github.com/google/uuid"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// Named is the name and id that HTCC knows a status by, if it is shown as a custom state.
type Named struct {
	ID        string // UUIDv5, upper case as the ids of system states are
	Operation htccapi.Operation
}

// Name returns the name and id of the status as a custom state. Both depend on the site and on
// the ids in the catalogue alone, so they are the same in every language, session and process.
func (c *Catalogue) Name(statusID string) Named { return c.names[fold(statusID)] }

// Namespace is the UUID namespace of a site: ids made in it differ from those of other sites.
func Namespace(site string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("portico:site:"+site))
}

// nameAll gives each status its name. All that collide, a reserved name included, get hex digits
// of their id at the end: four, or as many more as keep them apart. The order of the catalogue does
// not matter.
func nameAll(site string, messages []icwsapi.StatusMessage) map[string]Named {
	namespace := Namespace(site)
	names := make(map[string]Named, len(messages))
	digits := make(map[string]int, len(messages)) // by folded id
	for {
		taken := map[string]int{}
		for _, op := range htccapi.Reserved {
			taken[fold(string(op))]++
		}
		for _, message := range messages {
			id := uuid.NewSHA1(namespace, []byte(fold(message.StatusID)))
			name := htccapi.Operation(camelCase(message.StatusID) + hexOf(id)[:digits[fold(message.StatusID)]])
			names[fold(message.StatusID)] = Named{ID: strings.ToUpper(id.String()), Operation: name}
			taken[fold(string(name))]++
		}
		if !lengthen(digits, names, taken) {
			return names
		}
	}
}

// lengthen adds four digits to each name that is taken more than once, and reports whether there
// was one to which digits could be added.
func lengthen(digits map[string]int, names map[string]Named, taken map[string]int) bool {
	more := false
	for id, named := range names {
		if taken[fold(string(named.Operation))] > 1 && digits[id] < hexDigits {
			digits[id] += 4
			more = true
		}
	}
	return more
}

// hexDigits is how many digits hexOf returns.
const hexDigits = 32

func hexOf(id uuid.UUID) string { return strings.ReplaceAll(id.String(), "-", "") }

// camelCase joins the words of an id, each with a capital: "Away from desk" is AwayFromDesk. An id
// without a letter or digit is Status.
func camelCase(id string) string {
	words := strings.FieldsFunc(id, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var joined strings.Builder
	for _, word := range words {
		first := []rune(word)
		first[0] = unicode.ToUpper(first[0])
		joined.WriteString(string(first))
	}
	if joined.Len() == 0 {
		return "Status"
	}
	return joined.String()
}
