package config

import (
	"slices"
	"strconv"
	"strings"
)

// hint ends the text of a fault about an unknown word: with the one that was probably meant, else
// with all that are known.
func hint(got string, known []string) string {
	if meant := closest(got, known); meant != "" {
		return "; did you mean " + strconv.Quote(meant) + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return "; known: " + strings.Join(known, ", ")
}

// closest returns the known word that got is probably a slip of, "" if there is none.
func closest(got string, known []string) string {
	plain := plainWord(got)
	best, meant := 2+len(plain)/5, ""
	for _, word := range known {
		candidate := plainWord(word)
		if len(candidate) == 0 || len(plain) > len(candidate)+3 {
			continue // too far, whatever its letters
		}
		d := distance(plain, candidate)
		if len(plain) >= 3 && strings.HasPrefix(candidate, plain) {
			d = min(d, 1)
		}
		if d < best && d < len(candidate) {
			best, meant = d, word
		}
	}
	return meant
}

// plainWord leaves out what people vary: capitals, dashes and underscores.
func plainWord(word string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(word))
}

// distance counts the letters to insert, remove, replace or swap with their neighbour to make b of a.
func distance(a, b string) int {
	var before []int // the row before last
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// sorted returns the keys of a map in order, so that faults come out the same each time.
func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
