package htccsim

import (
	"net/url"
	"slices"
	"strings"
)

// Parameters of the query that are no filters.
const (
	fieldsParameter       = "fields"
	subresourcesParameter = "subresources"
)

// selection is a list of names such as fields=id,channel or subresources=*. Unknown names select
// nothing.
//
// Source: HTCC 8.5.0, RequestParameters.
type selection struct {
	isGiven bool
	isAll   bool
	names   []string
}

func selected(query url.Values, parameter string) selection {
	chosen := selection{isGiven: query.Has(parameter)}
	for _, list := range query[parameter] {
		chosen.add(list)
	}
	return chosen
}

func (chosen *selection) add(list string) {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		chosen.isAll = chosen.isAll || name == "*"
		chosen.names = append(chosen.names, name)
	}
}

func (chosen selection) has(name string) bool { return slices.Contains(chosen.names, name) }

// restrict cuts an object down to the fields asked for, in its own order.
func (chosen selection) restrict(o object) object {
	if !chosen.isGiven || chosen.isAll {
		return o
	}
	kept := object{}
	for _, m := range o {
		if chosen.has(m.name) {
			kept = append(kept, m)
		}
	}
	return kept
}

// filter returns the objects whose fields have exactly the values that the query names, such as
// channel=voice. Parameters that are no field of any object are passed over, since applications add
// some, such as one against caches. A list without objects has no fields, so it stays empty.
func filter(objects []object, query url.Values) []object {
	for name, values := range query {
		if name == fieldsParameter || name == subresourcesParameter {
			continue
		}
		isField := slices.ContainsFunc(objects, func(o object) bool {
			_, is := o.text(name)
			return is
		})
		if !isField {
			continue
		}
		objects = slices.DeleteFunc(slices.Clone(objects), func(o object) bool {
			text, is := o.text(name)
			return !is || !slices.Contains(values, text)
		})
	}
	return objects
}
