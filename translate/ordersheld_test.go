package translate

import (
	"reflect"
	"slices"

	"portico/translate/htccapi"
)

// What must hold in any order.
//
// Some orders cannot be told from others. What is heard in them counts, until the next message or the read that it
// gives cause for says better:
//   - a change of somebody else's that came before the agent's and is told of after it was complete is one that came
//     after it, and so is one of the agent's own before;
//   - while the agent asks for the status that there is, any other that is heard comes after;
//   - a status that the agent asked for and somebody else set is theirs, and is confirmed also if it is refused then;
//   - two changes of which a single read tells are confirmed as one.
//
// The first two end what an agent wants to be Ready on, which offers them no work.

// holds looks for what must be so at any time: what the agent asked for last is shown, until the site refused it or
// somebody else changed it after.
func (o *order) holds() {
	last := o.lastChange()
	if last == nil || last.refused || o.Failed() {
		return
	}
	waits := slices.Contains(o.line, last)
	if !waits && len(o.changes) > 0 && o.changes[len(o.changes)-1] == nil {
		return
	}
	last.clouded = last.clouded || o.isClouded(last)
	if last.clouded {
		return
	}
	if !same(o.s.choice().StatusID, last.choice.StatusID) {
		o.wrong("is in %q, not as asked by %q", o.s.choice().StatusID, last.name)
	}
	o.keeps()
}

// lastChange returns the agent's last operation that set a status, nil if there is none.
func (o *order) lastChange() *asked {
	for _, one := range slices.Backward(o.asked) {
		if one.choice != nil {
			return one
		}
	}
	return nil
}

// isClouded reports whether what the site did before the operation may be heard when nothing lies over it any more,
// or never did.
func (o *order) isClouded(one *asked) bool {
	before := o.changes
	if one.at > 0 {
		before = before[:one.at-1]
	}
	if one.there {
		return len(before) > one.known
	}
	lies := slices.ContainsFunc(o.s.Pending, func(p Pending) bool { return p.RequestID == one.id && !p.Seen })
	return !lies && len(before) > o.heard
}

// keeps holds what only Portico knows, such as what do-not-disturb hides, against the last operation.
func (o *order) keeps() {
	last := o.asked[len(o.asked)-1]
	kept := o.s.kept()
	kept.Status = last.after.Status // the notes go their own way
	if reflect.DeepEqual(last.after, kept) {
		return
	}
	differ(o, last.after, kept, equateEmpty)
	if o.Failed() {
		o.wrong("does not know what was asked by %q", last.name)
	}
}

// offersOnly holds that a plan offers work on no channel but those.
func (o *order) offersOnly(plan Plan, may map[htccapi.MediaChannel]bool) {
	status := plan.Status()
	for _, channel := range o.Channels {
		for _, workgroup := range channel.Workgroups {
			was, is := o.s.Activations[workgroup], plan.Next.Activations[workgroup]
			offers := is && (!was || status != nil && o.d.IsACD(status.StatusID) && !o.d.IsACD(o.s.Status.StatusID))
			if offers && len(plan.Calls) > 0 && !may[channel.Name] {
				o.wrong("%v offers work on %s, which was not asked for", describe(plan), channel.Name)
			}
		}
	}
}

// settled holds the state against the site once everything has been said and heard.
func (o *order) settled() {
	if len(o.s.Pending) > 0 {
		o.wrong("%d changes are left over", len(o.s.Pending))
	}
	if !same(o.s.Status.StatusID, o.status.StatusID) || o.s.DND() != o.d.IsDND(o.status.StatusID) {
		o.wrong("holds %q, do-not-disturb %t; the site has %q", o.s.Status.StatusID, o.s.DND(), o.status.StatusID)
	}
	differ(o, o.active, o.s.Activations)
	ends := o.confirmed + o.failed
	if ends < len(o.asked) || ends > len(o.asked)+o.refusals() {
		o.wrong("of %d operations %d were confirmed and %d failed", len(o.asked), o.confirmed, o.failed)
	}
}

// refusals returns how many operations the site refused, which may have been confirmed before.
func (o *order) refusals() int {
	return len(slices.DeleteFunc(slices.Clone(o.asked), func(one *asked) bool { return !one.refused }))
}
